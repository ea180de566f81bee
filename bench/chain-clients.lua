-- Each thread connects to an address of its own, and so comes from it.
local count = 0

function setup(thread)
  count = count + 1
  thread.addr = wrk.lookup("10.9.0." .. count, wrk.port)[1]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.6f,"p50":%d,"p99":%d,"errors":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
