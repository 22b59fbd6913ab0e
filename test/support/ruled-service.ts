// The test service with rules of protovalidate in its descriptors, which its proto file does not have.
import {
  clone,
  create,
  createFileRegistry,
  type DescFile,
  fromBinary,
  type MessageInitShape,
  setExtension,
  toBinary,
} from "@bufbuild/protobuf";
import {
  FieldOptionsSchema,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  MessageOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import {
  FieldRulesSchema,
  field as fieldRules,
  MessageRulesSchema,
  message as messageRules,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { file_manywire_test_v1_test, TestService } from "../gen/manywire/test/v1/test_pb.js";

/** Field → its rules. */
export type Rules = Readonly<Record<string, MessageInitShape<typeof FieldRulesSchema>>>;

/** Rules of `TestRequest`. */
export const testRequestRules: Rules = {
  text: { type: { case: "string", value: { maxLen: 20n, pattern: "^[a-z0-9 ]*$" } } },
  data: { type: { case: "bytes", value: { maxLen: 8n } } },
  count: { type: { case: "uint32", value: { lessThan: { case: "lte", value: 10 } } } },
  wait_ms: { cel: [{ id: "wait.even", message: "must be even", expression: "this % 2u == 0u" }] },
};

/**
 * Returns the test service with rules of fields of `TestRequest`, as reflection gives it: bytes that know nothing of
 * protovalidate.
 *
 * @param rules of `Failure.reason`, and of all of `TestRequest`
 * @param change what else to change in the file
 */
export function ruledService(
  rules: Rules = testRequestRules,
  change: (file: FileDescriptorProto) => void = () => {},
): typeof TestService {
  const file = clone(FileDescriptorProtoSchema, file_manywire_test_v1_test.proto);
  const [request, failure] = file.messageType;
  for (const one of request?.field ?? []) {
    const own = rules[one.name];
    if (own === undefined) continue;
    one.options ??= create(FieldOptionsSchema);
    setExtension(one.options, fieldRules, create(FieldRulesSchema, own));
  }
  const [, , reason] = failure?.field ?? [];
  if (request === undefined || reason === undefined) throw new Error("expected other messages in the test service");
  if (rules === testRequestRules) {
    reason.options = create(FieldOptionsSchema);
    setExtension(reason.options, fieldRules, create(FieldRulesSchema, { cel: [upperCase] }));
    request.options = create(MessageOptionsSchema);
    setExtension(request.options, messageRules, create(MessageRulesSchema, { cel: [notBoth] }));
  }
  change(file);
  return build(file);
}

const upperCase = { id: "reason.upper", message: "must be upper case", expression: "this.matches('^[A-Z]*$')" };
const notBoth = {
  id: "not.both",
  expression: "this.count > 0u && this.data.size() > 0 ? 'count and data must not both be set' : ''",
};

function build(file: FileDescriptorProto): typeof TestService {
  const bytes = toBinary(FileDescriptorProtoSchema, file);
  const files: readonly DescFile[] = file_manywire_test_v1_test.dependencies;
  const built = createFileRegistry(fromBinary(FileDescriptorProtoSchema, bytes), (name) =>
    files.find(({ proto }) => proto.name === name),
  );
  return built.getService(TestService.typeName) as typeof TestService;
}
