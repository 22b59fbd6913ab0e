// Regenerates gen/ and test/gen/ from the protos of this folder, of test/proto and of the npm packages named in buf.yaml.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/** Files by the name that their npm package gives them, and the name that every gRPC tool knows them by. */
const canonicalNames = new Map([["health/v1/health.proto", "grpc/health/v1/health.proto"]]);

const packages = "node_modules";
const generations = [
  {
    template: "buf.gen.yaml",
    paths: [
      "proto/hello_world.proto",
      `${packages}/google-gax/build/protos/google/api/httpbody.proto`,
      `${packages}/google-gax/build/protos/google/rpc/status.proto`,
      `${packages}/google-gax/build/protos/google/rpc/error_details.proto`,
      `${packages}/@grpc/reflection/build/proto/grpc/reflection`,
      `${packages}/grpc-health-check/proto/health/v1`,
    ],
  },
  { template: "test/buf.gen.yaml", paths: ["test/proto/manywire"] },
];

/** Renames files in a serialised descriptor set, buf's own extensions kept as unknown fields. */
function rename(image) {
  const set = fromBinary(FileDescriptorSetSchema, image);
  for (const file of set.file) {
    file.name = canonicalNames.get(file.name) ?? file.name;
    file.dependency = file.dependency.map((name) => canonicalNames.get(name) ?? name);
  }
  return toBinary(FileDescriptorSetSchema, set);
}

const folder = mkdtempSync(join(tmpdir(), "manywire-generate-"));
try {
  const image = join(folder, "image.binpb");
  for (const { template, paths } of generations) {
    execFileSync("buf", ["build", "-o", image, ...paths.flatMap((path) => ["--path", path])], { stdio: "inherit" });
    writeFileSync(image, rename(readFileSync(image)));
    execFileSync("buf", ["generate", image, "--template", template], { stdio: "inherit" });
  }
} finally {
  rmSync(folder, { recursive: true });
}
