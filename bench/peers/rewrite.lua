-- The same rewrite in nginx: cjson, and HMAC-SHA-256 of the OpenSSL that nginx is linked with.
local cjson = require 'cjson.safe'
local ffi = require 'ffi'
ffi.cdef [[
  const void *EVP_sha256(void);
  unsigned char *HMAC(const void *md, const void *key, int key_len, const unsigned char *data,
                      size_t data_len, unsigned char *out, unsigned int *out_len);
]]

local KEY = 'a key of the benchmark'
local out, out_len = ffi.new('unsigned char[32]'), ffi.new('unsigned int[1]')
local function token(value)
  ffi.C.HMAC(ffi.C.EVP_sha256(), KEY, #KEY, value, #value, out, out_len)
  return ngx.encode_base64(ffi.string(out, 32), true)
end

-- Keeps the first characters of UTF-8 text.
local function mask(value, kept)
  local shown, count = {}, 0
  for character in value:gmatch('[%z\1-\127\194-\244][\128-\191]*') do
    count = count + 1
    shown[count] = count <= kept and character or '*'
  end
  return table.concat(shown)
end

local M = {}

function M.request()
  ngx.req.read_body()
  local body = cjson.decode(ngx.req.get_body_data() or '')
  if type(body) ~= 'table' then return ngx.exit(400) end
  local applicant, spouse = body.applicant, body.spouse
  applicant.name = mask(applicant.name, 1)
  applicant.idNumber = token(applicant.idNumber)
  applicant.mobile = token(applicant.mobile)
  applicant.email = nil
  applicant.address = mask(applicant.address, 6)
  body.card = token(body.card)
  spouse.name = nil
  spouse.mobile = token(spouse.mobile)
  ngx.req.set_body_data(cjson.encode(body))
end

function M.answer()
  local context = ngx.ctx
  context.body = (context.body or '') .. ngx.arg[1]
  ngx.arg[1] = nil
  if not ngx.arg[2] then return end
  local body = cjson.decode(context.body)
  ngx.arg[1] = cjson.encode({ status = body.status, applicationId = body.applicationId, limit = body.limit })
end

return M
