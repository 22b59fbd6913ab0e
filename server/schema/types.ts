// Finds the types that JSON may name: what a google.protobuf.Any or the detail of an error holds, and extensions.
import type { DescFile, Registry } from "@bufbuild/protobuf";
import {
  file_google_protobuf_any,
  file_google_protobuf_api,
  file_google_protobuf_descriptor,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_source_context,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_type,
  file_google_protobuf_wrappers,
} from "@bufbuild/protobuf/wkt";
import { file_google_rpc_error_details } from "../../gen/google/rpc/error_details_pb.js";
import { file_google_rpc_status } from "../../gen/google/rpc/status_pb.js";
import { createTypesOf } from "./file-types.js";

/** Files whose types are always known: the well-known types, and the details of errors. */
export const commonFiles: readonly DescFile[] = [
  file_google_protobuf_any,
  file_google_protobuf_api,
  file_google_protobuf_descriptor,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_source_context,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_type,
  file_google_protobuf_wrappers,
  file_google_rpc_error_details,
  file_google_rpc_status,
];

/** A registry with the types of files, of all files that these import, and the well-known ones. */
export function createFileTypes(files: ReadonlySet<DescFile>): Registry {
  return createTypesOf(files, () => commonFiles);
}

/** Types that are always known: the well-known ones, and the details of errors. */
export const commonTypes: Registry = createFileTypes(new Set());
