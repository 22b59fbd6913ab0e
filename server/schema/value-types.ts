// The types that JSON may name in browsers: those of types.ts, without the ones that describe schemas, which take 1.5 KB.
import type { DescFile, Registry } from "@bufbuild/protobuf";
import {
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
} from "@bufbuild/protobuf/wkt";
import { file_google_rpc_error_details } from "../../gen/google/rpc/error_details_pb.js";
import { file_google_rpc_status } from "../../gen/google/rpc/status_pb.js";
import { createTypesOf } from "./file-types.js";

/** The well-known types of values, and the details of errors. */
export const valueFiles: readonly DescFile[] = [
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
  file_google_rpc_error_details,
  file_google_rpc_status,
];

/** A registry with the types of files, of all files that these import, and those of values. */
export function createValueTypes(files: ReadonlySet<DescFile>): Registry {
  return createTypesOf(files, valueFiles);
}
