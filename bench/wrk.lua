-- Sends the requests of a file, one after the other: -- FILE, as `servers requests` writes them. With -- static FILE, the
-- one of `servers request`, again and again, which wrk prepares once. The last line it prints is for bench/run:
-- requests, seconds, milliseconds of the 99th percentile, answers that were not 2xx, and errors of sockets.
local requests, count, at = {}, 0, 0

local function load(path)
  local file = assert(io.open(path, "rb"))
  for line in file:lines() do
    count = count + 1
    requests[count] = file:read(tonumber(line))
  end
  file:close()
end

local function static(path)
  local file = assert(io.open(path, "rb"))
  wrk.method, wrk.path = "POST", file:read("*l")
  local name, value = file:read("*l"):match("^(.-): (.*)$")
  wrk.headers[name], wrk.headers["Content-Type"] = value, "application/json"
  wrk.body = file:read("*l")
  file:close()
end

function init(args)
  if args[1] == "static" then
    return static(args[2])
  end
  load(args[1])
  request = function()
    at = at % count + 1
    return requests[at]
  end
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format("wrk %d %.6f %.3f %d %d\n", summary.requests, summary.duration / 1e6, latency:percentile(99) / 1e3,
    e.status, e.connect + e.read + e.write + e.timeout))
end
