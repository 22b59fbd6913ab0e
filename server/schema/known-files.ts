// Files that a schema from elsewhere may import and not have: those of Google that this package has.
import type { DescFile } from "@bufbuild/protobuf";
import { file_google_protobuf_compiler_plugin, file_google_protobuf_type } from "@bufbuild/protobuf/wkt";
import { file_google_api_annotations } from "../../gen/google/api/annotations_pb.js";
import { file_google_api_client } from "../../gen/google/api/client_pb.js";
import { file_google_api_field_behavior } from "../../gen/google/api/field_behavior_pb.js";
import { file_google_api_field_info } from "../../gen/google/api/field_info_pb.js";
import { file_google_api_httpbody } from "../../gen/google/api/httpbody_pb.js";
import { file_google_api_resource } from "../../gen/google/api/resource_pb.js";
import { file_google_longrunning_operations } from "../../gen/google/longrunning/operations_pb.js";
import { file_google_rpc_code } from "../../gen/google/rpc/code_pb.js";
import { file_google_rpc_http } from "../../gen/google/rpc/http_pb.js";
import { file_google_type_calendar_period } from "../../gen/google/type/calendar_period_pb.js";
import { file_google_type_color } from "../../gen/google/type/color_pb.js";
import { file_google_type_date } from "../../gen/google/type/date_pb.js";
import { file_google_type_datetime } from "../../gen/google/type/datetime_pb.js";
import { file_google_type_dayofweek } from "../../gen/google/type/dayofweek_pb.js";
import { file_google_type_decimal } from "../../gen/google/type/decimal_pb.js";
import { file_google_type_expr } from "../../gen/google/type/expr_pb.js";
import { file_google_type_fraction } from "../../gen/google/type/fraction_pb.js";
import { file_google_type_interval } from "../../gen/google/type/interval_pb.js";
import { file_google_type_latlng } from "../../gen/google/type/latlng_pb.js";
import { file_google_type_localized_text } from "../../gen/google/type/localized_text_pb.js";
import { file_google_type_money } from "../../gen/google/type/money_pb.js";
import { file_google_type_month } from "../../gen/google/type/month_pb.js";
import { file_google_type_phone_number } from "../../gen/google/type/phone_number_pb.js";
import { file_google_type_postal_address } from "../../gen/google/type/postal_address_pb.js";
import { file_google_type_quaternion } from "../../gen/google/type/quaternion_pb.js";
import { file_google_type_timeofday } from "../../gen/google/type/timeofday_pb.js";
import { withDependencies } from "./descriptor-index.js";
import { commonFiles } from "./types.js";

/** File name (`google/api/http.proto`) → descriptor. */
export const knownFiles: ReadonlyMap<string, DescFile> = withDependencies([
  ...commonFiles,
  file_google_protobuf_compiler_plugin,
  file_google_protobuf_type,
  file_google_api_annotations,
  file_google_api_client,
  file_google_api_field_behavior,
  file_google_api_field_info,
  file_google_api_httpbody,
  file_google_api_resource,
  file_google_longrunning_operations,
  file_google_rpc_code,
  file_google_rpc_http,
  file_google_type_calendar_period,
  file_google_type_color,
  file_google_type_date,
  file_google_type_datetime,
  file_google_type_dayofweek,
  file_google_type_decimal,
  file_google_type_expr,
  file_google_type_fraction,
  file_google_type_interval,
  file_google_type_latlng,
  file_google_type_localized_text,
  file_google_type_money,
  file_google_type_month,
  file_google_type_phone_number,
  file_google_type_postal_address,
  file_google_type_quaternion,
  file_google_type_timeofday,
]);
