// Proto files as they are serialised: in descriptor sets and in responses of reflection, those of others and ours.
import { type DescFile, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/** A file and its serialised form. */
export interface FileSource {
  /** A serialised `google.protobuf.FileDescriptorProto`. */
  readonly bytes: Uint8Array;
  readonly proto: FileDescriptorProto;
}

/** @throws Error if the bytes are no FileDescriptorProto */
export function parseFile(bytes: Uint8Array): FileSource {
  return { bytes, proto: fromBinary(FileDescriptorProtoSchema, bytes) };
}

/** The same file without its comments, which are most of a large one, and which no client of reflection needs. */
export function withoutComments({ bytes, proto }: FileSource): Uint8Array {
  if (proto.sourceCodeInfo === undefined) return bytes;
  const { number: comments } = FileDescriptorProtoSchema.field.sourceCodeInfo;
  const reader = new BinaryReader(bytes);
  const kept = new Uint8Array(bytes.length);
  let length = 0;
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [number, wireType] = reader.tag();
    reader.skip(wireType, number);
    if (number === comments) continue;
    kept.set(bytes.subarray(start, reader.pos), length);
    length += reader.pos - start;
  }
  return kept.slice(0, length);
}

/**
 * Returns the serialised files of a serialised `google.protobuf.FileDescriptorSet`.
 *
 * @throws Error if the bytes are no such set
 */
export function splitDescriptorSet(bytes: Uint8Array): Uint8Array[] {
  const { number: ofFiles } = FileDescriptorSetSchema.field.file;
  // Parts of a Buffer would be Buffers.
  const reader = new BinaryReader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const files: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === ofFiles && wireType === WireType.LengthDelimited) files.push(reader.bytes());
    else reader.skip(wireType, number);
  }
  return files;
}

/** Returns a serialised `google.protobuf.FileDescriptorSet` of serialised files. */
export function joinDescriptorSet(files: readonly Uint8Array[]): Uint8Array {
  const { number } = FileDescriptorSetSchema.field.file;
  const writer = new BinaryWriter();
  for (const bytes of files) writer.tag(number, WireType.LengthDelimited).bytes(bytes);
  return writer.finish();
}

const serialised = new WeakMap<DescFile, Uint8Array>();

/** Remembers the serialised form of a file, which others are given. */
export function setSerialised(file: DescFile, bytes: Uint8Array): void {
  serialised.set(file, bytes);
}

/** The serialised form of a file that came from elsewhere; undefined for files that are generated code. */
export function serialisedOf(file: DescFile): Uint8Array | undefined {
  return serialised.get(file);
}

/** The same file with other names, of itself and of its imports: old name → new name. */
export function renameFile(bytes: Uint8Array, names: ReadonlyMap<string, string>): Uint8Array {
  const proto = fromBinary(FileDescriptorProtoSchema, bytes);
  proto.name = names.get(proto.name) ?? proto.name;
  proto.dependency = proto.dependency.map((name) => names.get(name) ?? name);
  return toBinary(FileDescriptorProtoSchema, proto);
}
