// A step of the build: puts the published protos into the build, under their canonical names, with their licence, which is
// one for all. The argument is the folder of the build; without it, dist/.
import { copyFileSync, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { published } from "./published.js";

const root = join(import.meta.dirname, "..");
const packages = join(root, "node_modules");
const target = join(resolve(process.argv[2] ?? join(root, "dist")), "proto");

/**
 * @param {string} from
 * @param {string} name
 */
function copy(from, name) {
  mkdirSync(dirname(join(target, name)), { recursive: true });
  copyFileSync(join(packages, from), join(target, name));
}

for (const { folder, prefix, files } of published) {
  for (const file of files) copy(join(folder, file), prefix + file);
}
copy("grpc-health-check/LICENSE", "LICENSE");
