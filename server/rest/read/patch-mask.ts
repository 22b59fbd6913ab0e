// Makes the FieldMask of a PATCH request from the members of its body, as grpc-gateway does by default:
// https://grpc-ecosystem.github.io/grpc-gateway/docs/mapping/patch_feature/
import { create, type DescMessage, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { FieldMask } from "@bufbuild/protobuf/wkt";
import { badField } from "../error/bad-request.js";
import { fieldsByName, isNested, type MessageField } from "../fields.js";
import type { Binding } from "../route/binding.js";
import { JsonWalk } from "./json-walk.js";

/** Limits of a mask: the same as those of a query, where a client would write the mask. */
interface MaskLimits {
  readonly paths: number;
  readonly depth: number;
}

/** Sets the mask of a request, unless it has one. `body` is JSON that has been read without an error. */
type MaskReader = (body: Uint8Array, message: Message) => void;

/** Prepares the masks of one binding. Returns undefined if it has none. */
export function createMaskReader(binding: Binding, limits: MaskLimits): MaskReader | undefined {
  const { requestBody } = binding;
  const field = maskFieldOf(binding);
  if (field === undefined || requestBody.kind !== "json" || requestBody.field?.message === undefined) return undefined;
  const desc = requestBody.field.message;
  return (body, message) => {
    const request = reflect(binding.method.input, message);
    if (field.oneof !== undefined && request.oneofCase(field.oneof) !== undefined) return;
    const given = request.get(field).message as FieldMask;
    if (body.length === 0 || given.paths.length > 0) return;
    const paths = new PathReader(body, field, limits).read(desc);
    if (paths.length === 0) return;
    request.set(field, reflect(field.message, create(field.message, { paths } as MessageInitShape<DescMessage>)));
  };
}

/**
 * The field that gets a mask: the only FieldMask of the request, where the method is PATCH and the body is another message
 * field. Undefined if there is none.
 */
export function maskFieldOf({ method, httpMethod, requestBody }: Binding): MessageField | undefined {
  if (httpMethod !== "PATCH" || requestBody.kind !== "json") return undefined;
  const body = requestBody.field;
  if (body === undefined || !isNested(body)) return undefined;
  const [mask, ...others] = method.input.fields.filter(isMask);
  const isRival = mask?.oneof !== undefined && mask.oneof === body.oneof;
  return others.length > 0 || isRival ? undefined : mask;
}

function isMask(field: DescMessage["fields"][number]): field is MessageField {
  return field.fieldKind === "message" && field.message.typeName === "google.protobuf.FieldMask";
}

/** Reads the paths of one body. */
class PathReader {
  readonly #json: JsonWalk;
  readonly #mask: MessageField;
  readonly #limits: MaskLimits;
  readonly #paths = new Set<string>();

  constructor(body: Uint8Array, mask: MessageField, limits: MaskLimits) {
    this.#json = new JsonWalk(body);
    this.#mask = mask;
    this.#limits = limits;
  }

  /** The paths of all members, sorted. */
  read(desc: DescMessage): string[] {
    if (this.#json.isObject()) this.#readMembers(desc, []);
    return [...this.#paths].sort();
  }

  #readMembers(desc: DescMessage, parents: readonly string[]): void {
    this.#json.eachMember((name) => this.#readMember(desc, parents, name));
  }

  /** Returns false if the member was not read. Members that the schema does not have are in no path. */
  #readMember(desc: DescMessage, parents: readonly string[], name: string): boolean {
    const field = fieldsByName(desc).get(name);
    if (field === undefined) return false;
    const path = [...parents, field.name];
    if (path.length > this.#limits.depth) throw this.#refuse(`paths of more than ${this.#limits.depth} names`);
    if (!isNested(field) || !this.#json.isObject()) return this.#add(path);
    if (this.#json.isEmptyObject()) return this.#add(path);
    this.#readMembers(field.message, path);
    return true;
  }

  #add(path: readonly string[]): false {
    this.#paths.add(path.join("."));
    if (this.#paths.size > this.#limits.paths) throw this.#refuse(`more than ${this.#limits.paths} paths`);
    return false;
  }

  #refuse(reason: string) {
    return badField(this.#mask.name, `expected a mask, because the body has ${reason}`);
  }
}
