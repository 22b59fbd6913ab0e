// Makes messages by which rules are tried before there are any requests: rules are evaluated only for fields that are set.
import { create, type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect, type ScalarValue } from "@bufbuild/protobuf/reflect";

/** An empty message, and one for each field, which has a value that is not its default. */
export function* listSamples(type: DescMessage): Generator<Message> {
  yield create(type);
  for (const field of type.fields) {
    const message = reflect(type);
    setField(message, field);
    yield message.message;
  }
}

function setField(message: ReflectMessage, field: DescField): void {
  switch (field.fieldKind) {
    case "list":
      message.get(field).add(itemOf(field));
      return;
    case "map":
      message.get(field).set(scalarOf(field.mapKey) as string, itemOf(field));
      return;
    default:
      message.set(field, itemOf(field));
  }
}

/** A value of a field, or of one item of it. */
function itemOf(field: DescField): unknown {
  if (field.message !== undefined) return reflect(field.message);
  if (field.enum !== undefined) return field.enum.values.find(({ number }) => number !== 0)?.number ?? 0;
  return scalarOf(field.scalar);
}

function scalarOf(type: ScalarType | undefined): ScalarValue {
  switch (type) {
    case ScalarType.STRING:
      return "a";
    case ScalarType.BYTES:
      return Uint8Array.of(1);
    case ScalarType.BOOL:
      return true;
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return 1n;
    default:
      return 1;
  }
}
