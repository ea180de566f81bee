import { GUESTS } from '../support/hostile-chain.ts'

const { own, neighbour } = GUESTS

/** Requests to begin with: what clients send, what they never should, and what a run of the fuzzer has once found. `@` is
 *  where a proxy's own fields stand. */
export const SEEDS: readonly string[] = [
  'GET / HTTP/1.1\r\nHost: 169.254.169.254\r\n@\r\n',
  'GET /openstack/latest/meta_data.json HTTP/1.1\r\nUser-Agent: Cloud-Init/22.4.2\r\nAccept: */*\r\n@\r\n',
  'HEAD /latest/user-data HTTP/1.0\r\nConnection: keep-alive\r\n@\r\n',
  'POST /openstack/latest/password HTTP/1.1\r\nContent-Length: 8\r\n@\r\nc2VjcmV0',
  'POST /openstack/latest/password HTTP/1.1\r\nTransfer-Encoding: chunked\r\n@\r\n4\r\nc2Vj\r\n4;x="y"\r\ncmV0\r\n0\r\nA: b\r\n\r\n',
  'PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 21600\r\n@\r\n',
  'GET //latest//meta-data/../meta-data/%2e%2e/%ff?x=1#y HTTP/1.1\r\n@\r\n',
  'GET http://169.254.169.254/latest HTTP/1.1\r\n@\r\n',
  'OPTIONS * HTTP/1.1\r\n@\r\n',
  'CONNECT 127.0.0.1:22 HTTP/1.1\r\n@\r\n',
  'GET /a HTTP/1.1\r\n@\r\nGET /b HTTP/1.1\r\n@\r\nGET /c HTTP/1.1\r\nConnection: close\r\n@\r\n',
  'GET /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n@\r\nx',
  'GET /a HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n@\r\n',
  `GET /a HTTP/1.1\r\nX-Forwarded-For: ${neighbour.address}\r\nX-Instance-ID: ${neighbour.instance}\r\n@\r\n`,
  `GET /a HTTP/1.1\r\nX_Forwarded_For: ${neighbour.address}, ${own.address}\r\nForwarded: for=${neighbour.address}\r\n@\r\n`,
  'POST /a HTTP/1.1\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n@\r\n0\r\n\r\nGET /inner HTTP/1.1\r\n\r\n',
  'GET /a HTTP/1.1\r\nA: b\r\n c\r\n@\r\n',
  'GET /a HTTP/1.1\nA: b\n@\n\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'GET /a\r\n',
]
