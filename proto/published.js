// The protos of others that the package brings with it, protos and generated code: what services with google.api.http
// import. They come from npm packages that are there for development.

const api = ["annotations", "client", "field_behavior", "field_info", "http", "httpbody", "launch_stage", "resource"];
const rpc = ["code", "error_details", "http", "status"];
const type = [
  "calendar_period",
  "color",
  "date",
  "datetime",
  "dayofweek",
  "decimal",
  "expr",
  "fraction",
  "interval",
  "latlng",
  "localized_text",
  "money",
  "month",
  "phone_number",
  "postal_address",
  "quaternion",
  "timeofday",
];

/** `folder` is that of the imports within node_modules, `prefix` what their names lack there of their canonical ones. */
export const published = [
  {
    folder: "google-gax/build/protos",
    prefix: "",
    files: [
      ...api.map((name) => `google/api/${name}.proto`),
      ...rpc.map((name) => `google/rpc/${name}.proto`),
      ...type.map((name) => `google/type/${name}.proto`),
      "google/longrunning/operations.proto",
    ],
  },
  { folder: "grpc-health-check/proto", prefix: "grpc/", files: ["health/v1/health.proto"] },
  {
    folder: "@grpc/reflection/build/proto",
    prefix: "",
    files: ["grpc/reflection/v1/reflection.proto", "grpc/reflection/v1alpha/reflection.proto"],
  },
];
