// A project of an application, with a proto that imports what the package has.
import { join } from "node:path";
import { root } from "./stage.js";

export const shopProto = `
  syntax = "proto3";
  package shop.v1;
  import "google/api/annotations.proto";
  import "google/longrunning/operations.proto";
  import "google/rpc/status.proto";
  import "google/type/money.proto";
  import "grpc/health/v1/health.proto";
  import "grpc/reflection/v1/reflection.proto";
  message Everything {
    google.longrunning.Operation operation = 1;
    google.rpc.Status status = 2;
    google.type.Money money = 3;
    grpc.health.v1.HealthCheckRequest health = 4;
    grpc.reflection.v1.ServerReflectionRequest reflection = 5;
  }
  service Shop {
    rpc Get(Everything) returns (Everything) { option (google.api.http) = {get: "/v1/everything"}; }
  }
`;

/** The generator. */
export const generator: string = join(root, "node_modules/.bin/protoc-gen-es");

/** Its options: what the package has generated already is imported from there. */
export const generatorOptions: readonly string[] = [
  "target=js+dts",
  "import_extension=js",
  ...["google", "grpc"].map((name) => `rewrite_imports=./${name}/**/*_pb.js:manywire/gen`),
];

/** Code that prints the name of the service in a generated file. */
export const printService = (file: string): string =>
  `import(${JSON.stringify(file)}).then(({ Shop }) => console.log(Shop.typeName))`;
