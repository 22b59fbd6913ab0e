// A made-up API of the size of Google's Compute Engine: services with the standard methods and some of their own, resources
// with many fields, a comment on everything, and source info of several MB.
import { create, createFileRegistry, type DescService, setExtension, toBinary } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  type MethodDescriptorProto,
  MethodDescriptorProtoSchema,
  MethodOptionsSchema,
  type SourceCodeInfo_Location,
  SourceCodeInfo_LocationSchema,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import { http } from "../../../gen/google/api/annotations_pb.js";
import { type HttpRule, HttpRuleSchema } from "../../../gen/google/api/http_pb.js";

/** How many methods it has. */
export const methodCount = 993;

const methodsPerService = 9;
const fieldsPerResource = 60;
const sentence = "The name of the resource, as the client gave it when it made it, with `-` for what it may not have. ";
const packageName = "large.v1";

/** What a server needs to serve it. */
interface LargeApi {
  readonly services: readonly DescService[];
  /** With source info. */
  readonly descriptorSet: Uint8Array;
}

export function createLargeApi(): LargeApi {
  const count = Math.ceil(methodCount / methodsPerService);
  const kinds = Array.from({ length: count }, (_, index) => `Thing${index}`);
  const messageType = [message("Empty", []), ...kinds.flatMap((kind, index) => messagesOf(kind, kinds[index + 1]))];
  const service = kinds.map((kind, index) => {
    const left = methodCount - index * methodsPerService;
    return { name: `${kind}s`, method: methodsOf(kind).slice(0, left) };
  });
  const file = create(FileDescriptorProtoSchema, {
    name: "large/v1/large.proto",
    package: packageName,
    syntax: "proto3",
    messageType,
    service,
    sourceCodeInfo: { location: [...locationsOf(messageType), ...serviceLocations(service)] },
  });
  const set = create(FileDescriptorSetSchema, { file: [file] });
  const registry = createFileRegistry(set);
  const services = [...registry].filter((type) => type.kind === "service");
  return { services, descriptorSet: toBinary(FileDescriptorSetSchema, set) };
}

/** A resource, its parts, and the requests of its methods. */
function messagesOf(kind: string, other = "Thing0"): DescriptorProto[] {
  const scalars = Array.from({ length: fieldsPerResource }, (_, index) => {
    const types = [Type.STRING, Type.INT64, Type.BOOL, Type.DOUBLE];
    return [`attribute_of_the_${kind.toLowerCase()}_${index}`, types[index % types.length] as Type] as const;
  });
  const part = message(`${kind}Part`, [["label", Type.STRING], ["part", `${kind}Part`], ...scalars.slice(0, 10)]);
  const resource = message(kind, [
    ["name", Type.STRING],
    ...scalars,
    ["part", `${kind}Part`],
    ["next", `${other}Part`],
  ]);
  const request = message(`${kind}Request`, [
    ["name", Type.STRING],
    ["filter", Type.STRING],
    ["thing", kind],
  ]);
  return [part, resource, request, message(`${kind}List`, [["things", kind]])];
}

function message(name: string, fields: readonly (readonly [string, Type | string])[]): DescriptorProto {
  return create(DescriptorProtoSchema, {
    name,
    field: fields.map(([fieldName, type], index) => ({
      name: fieldName,
      jsonName: fieldName.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      number: index + 1,
      label: fieldName === "things" ? Label.REPEATED : Label.OPTIONAL,
      ...(typeof type === "string" ? { type: Type.MESSAGE, typeName: `.${packageName}.${type}` } : { type }),
    })),
  });
}

function methodsOf(kind: string): MethodDescriptorProto[] {
  const all = `/v1/projects/{name}/${kind.toLowerCase()}s`;
  const one = `${all}/{filter}`;
  const method = (name: string, outputType: string, pattern: HttpRule["pattern"], body = "") =>
    create(MethodDescriptorProtoSchema, {
      name: `${name}${kind}`,
      inputType: `.${packageName}.${kind}Request`,
      outputType: `.${packageName}.${outputType}`,
      options: withRule(create(HttpRuleSchema, { pattern, body })),
    });
  const actions = ["Start", "Stop", "Move", "Lock"].map((action) =>
    method(action, kind, { case: "post", value: `${one}:${action.toLowerCase()}` }, "*"),
  );
  return [
    method("Get", kind, { case: "get", value: one }),
    method("List", `${kind}List`, { case: "get", value: all }),
    method("Insert", kind, { case: "post", value: all }, "thing"),
    method("Patch", kind, { case: "patch", value: one }, "thing"),
    method("Delete", "Empty", { case: "delete", value: one }),
    ...actions,
  ];
}

function withRule(rule: HttpRule) {
  const options = create(MethodOptionsSchema);
  setExtension(options, http, rule);
  return options;
}

function locationsOf(messages: readonly DescriptorProto[]): SourceCodeInfo_Location[] {
  return messages.flatMap(({ field }, index) => [
    location(4, index),
    ...field.map((_, at) => location(4, index, 2, at)),
  ]);
}

function serviceLocations(services: readonly { readonly method: readonly unknown[] }[]): SourceCodeInfo_Location[] {
  return services.flatMap(({ method }, index) => [
    location(6, index),
    ...method.map((_, at) => location(6, index, 2, at)),
  ]);
}

function location(...path: number[]): SourceCodeInfo_Location {
  return create(SourceCodeInfo_LocationSchema, { path, span: [1, 2, 3], leadingComments: ` ${sentence.repeat(4)}` });
}
