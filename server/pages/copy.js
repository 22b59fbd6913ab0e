// A step of the build: puts what the pages load and tsc does not make beside what it makes. Swagger UI comes with its
// licence. The argument is the folder of the build; without it, dist/.
import { copyFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

const own = join(import.meta.dirname, "browser");
const swaggerUi = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
const dist = resolve(process.argv[2] ?? join(import.meta.dirname, "../../dist"));
const target = join(dist, "server/pages/browser");

for (const name of readdirSync(own).filter((name) => !name.endsWith(".ts"))) {
  copyFileSync(join(own, name), join(target, name));
}
for (const name of ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt"]) {
  copyFileSync(join(swaggerUi, name), join(target, name));
}
for (const name of ["LICENSE", "NOTICE"]) copyFileSync(join(swaggerUi, name), join(target, `swagger-ui.${name}.txt`));
