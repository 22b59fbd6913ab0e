// A service that takes and returns streams of google.api.HttpBody, which the common test services do not.
import { create, createFileRegistry, type DescService, setExtension } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, MethodOptionsSchema } from "@bufbuild/protobuf/wkt";
import { http } from "../../gen/google/api/annotations_pb.js";
import { HttpRuleSchema } from "../../gen/google/api/http_pb.js";
import { HttpBodySchema } from "../../gen/google/api/httpbody_pb.js";
import { ResourceSchema, RestService } from "../gen/manywire/test/rest/v1/rest_pb.js";

function createService(): DescService {
  const files = [RestService.file, ...RestService.file.dependencies];
  const method = (name: string, output: string, serverStreaming: boolean) => {
    const options = create(MethodOptionsSchema);
    const pattern = { case: "post", value: `/v1/${name}` } as const;
    setExtension(options, http, create(HttpRuleSchema, { pattern, body: "*" }));
    const inputType = `.${HttpBodySchema.typeName}`;
    return { name, inputType, outputType: `.${output}`, clientStreaming: true, serverStreaming, options };
  };
  const file = create(FileDescriptorProtoSchema, {
    name: "bytes.proto",
    package: "bytes",
    syntax: "proto3",
    dependency: files.map(({ proto }) => proto.name),
    service: [
      {
        name: "Bytes",
        method: [method("upload", ResourceSchema.typeName, false), method("pass", HttpBodySchema.typeName, true)],
      },
    ],
  });
  const registry = createFileRegistry(file, (name) => files.find(({ proto }) => proto.name === name));
  return registry.getService("bytes.Bytes") as DescService;
}

/** `bytes.Bytes`: `POST /v1/upload` takes a stream and returns a Resource, `POST /v1/pass` takes and returns a stream. */
export const bytesService = createService();
