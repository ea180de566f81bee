-- wrk documents.lua URL -- CALLERS FIRST PATH...
-- Each line of the file CALLERS is an instance as the metadata agent names it: id, project and signature. One after the
-- other, from number FIRST (0 is the first) on and round again, they ask for each path in turn.

local callers, paths, first, asked = {}, {}, 0, 0

function init(args)
  for line in io.lines(args[1]) do
    local id, project, signature = line:match('(%S+) (%S+) (%S+)')
    callers[#callers + 1] = 'X-Instance-ID: ' .. id .. '\r\nX-Tenant-ID: ' .. project ..
      '\r\nX-Instance-ID-Signature: ' .. signature .. '\r\nX-Forwarded-For: 10.0.0.10\r\n'
  end
  first = tonumber(args[2])
  for n = 3, #args do paths[#paths + 1] = args[n] end
end

function request()
  local path = paths[asked % #paths + 1]
  local caller = callers[(first + math.floor(asked / #paths)) % #callers + 1]
  asked = asked + 1
  return 'GET ' .. path .. ' HTTP/1.1\r\nHost: 127.0.0.1\r\n' .. caller .. '\r\n'
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"errors":%d}\n',
    summary.requests, errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
