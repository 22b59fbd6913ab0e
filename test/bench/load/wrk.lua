-- Makes wrk post the file BENCH_BODY with the BENCH_HEADERS, one "name: value" a line, and print figures a program can read.
-- Where there is a traceparent, each request has one of its own, as the requests of a traced client have.
local file = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
wrk.method = "POST"
wrk.body = file:read("*a")
file:close()
for name, value in os.getenv("BENCH_HEADERS"):gmatch("([^\n:]+): ([^\n]+)") do
  wrk.headers[name] = value
end

-- More than a server could keep.
local count = 4096
local requests = {}
local last = 0

local trace, flags = (wrk.headers["traceparent"] or ""):match("^(%x+%-%x+%-)%x+(%-%x+)$")

-- Called once the host is known, which belongs to the headers.
function init()
  for number = 1, trace and count or 1 do
    if trace then wrk.headers["traceparent"] = string.format("%s%016x%s", trace, number, flags) end
    requests[number] = wrk.format()
  end
end

function request()
  last = last % #requests + 1
  return requests[last]
end

function done(summary)
  local errors = summary.errors
  local failed = errors.status + errors.connect + errors.read + errors.write + errors.timeout
  print(string.format("result %d %d %d %d", summary.requests, summary.duration, summary.bytes, failed))
end
