// Finds the types that JSON may name: what a google.protobuf.Any or the detail of an error holds, and extensions.
import type { DescFile, Registry } from "@bufbuild/protobuf";
import {
  file_google_protobuf_api,
  file_google_protobuf_descriptor,
  file_google_protobuf_source_context,
  file_google_protobuf_type,
} from "@bufbuild/protobuf/wkt";
import { createTypesOf } from "./file-types.js";
import { valueFiles } from "./value-types.js";

/** Files whose types are always known: the well-known types, and the details of errors. */
export const commonFiles: readonly DescFile[] = [
  ...valueFiles,
  file_google_protobuf_api,
  file_google_protobuf_descriptor,
  file_google_protobuf_source_context,
  file_google_protobuf_type,
];

/** A registry with the types of files, of all files that these import, and the well-known ones. */
export function createFileTypes(files: ReadonlySet<DescFile>): Registry {
  return createTypesOf(files, commonFiles);
}

/** Types that are always known: the well-known ones, and the details of errors. */
export const commonTypes: Registry = createFileTypes(new Set());
