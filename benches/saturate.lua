-- Two thousand users on a hundred items, with the headers that clients send.
local agents = {
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  "Shop/3.10.2 (Android 15; Pixel 9)",
}
local n = 0
request = function()
  n = n + 1
  local headers = { ["User-Agent"] = agents[n % 2 + 1], ["X-User-Id"] = "user-" .. (n * 7 % 2000), ["X-App-Version"] = "3.10.2" }
  return wrk.format("GET", "/items/" .. (n % 100), headers)
end
