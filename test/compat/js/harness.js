// What a JavaScript scenario needs: arguments, expectations, and the result
// lines.
//
// A scenario file hands run() a list of [name, function]. Each runs once, in
// order, and prints one line:
//
//	pass<TAB>name
//	fail<TAB>name<TAB>what was expected and what came
//
// The process exits 0 when every scenario passed. A scenario that throws
// fails; the others still run.

'use strict';

const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const os = require('os');
const path = require('path');
const util = require('util');

const PART = 102400; // smallest size of a part that is not the last, in bytes

const LONG_AGO = 'Tue, 01 Feb 2011 00:00:00 GMT';
const FAR_AHEAD = 'Sat, 01 Jan 2150 00:00:00 GMT';

// Names that a careless server cleans, decodes twice or refuses.
const AWKWARD_KEYS = [
  'a b+c',
  'a//b',
  'a/../../etc/passwd',
  '../../etc/passwd',
  '中文/é',
  '100%25',
  "~!*'()",
  'dir/',
  'a?b&c=d#e;f',
  '<&>"\'',
  '.',
  '..',
  './.',
  'k'.repeat(1023)
];

class Mismatch extends Error {}

function equal(got, want, what) {
  if (!util.isDeepStrictEqual(got, want)) {
    const show = value => util.inspect(value, { breakLength: Infinity }).slice(0, 300);
    throw new Mismatch(`${what}: got ${show(got)}, want ${show(want)}`);
  }
}

function ok(condition, what) {
  if (!condition) throw new Mismatch(what);
}

// refused expects the service to answer the call with this status and code.
async function refused(call, status, code) {
  let answer;
  try {
    answer = await call();
  } catch (err) {
    if (err.status === undefined || err.status < 0) throw err;
    equal([err.status, err.code], [status, code], 'error');
    return;
  }
  throw new Mismatch(`no error but ${answer && answer.res && answer.res.status}, want ${status} ${code}`);
}

// data returns size bytes that do not repeat; equal seeds give equal bytes.
function data(seed, size) {
  const key = crypto.createHash('sha256').update(String(seed)).digest();
  return crypto.createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

const md5Hex = content => crypto.createHash('md5').update(content).digest('hex').toUpperCase();
const md5Base64 = content => crypto.createHash('md5').update(content).digest('base64');
const unquote = etag => etag.replace(/"/g, '');

// multipartETag is MD5 over the text of the parts' ETags, a dash, and their count.
const multipartETag = etags => `${md5Hex(etags.map(unquote).join(''))}-${etags.length}`;

// loopback leads every name to 127.0.0.1. RFC 6761 reserves *.localhost for
// that, but resolvers without nss-myhostname know only the bare "localhost".
function loopback(hostname, options, callback) {
  if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
}

// REFUSING is a port where no connection is taken.
const REFUSING = 1;

// Cutting is an agent whose connection breaks in the middle of a transfer.
class Cutting extends http.Agent {
  constructor() {
    super({ keepAlive: true, lookup: loopback });
    this.mend();
  }

  // cutAfter lets count requests that match pass and fails every later one.
  cutAfter(count, matches) {
    this.left = count;
    this.matches = matches;
  }

  mend() {
    this.cutAfter(0, null);
  }

  addRequest(request, options) {
    const cut = this.matches && this.matches(request) && --this.left < 0;
    super.addRequest(request, cut ? { ...options, port: REFUSING } : options);
  }
}

const isPart = request => request.method === 'PUT' && /[?&]partNumber=/.test(request.path);

// tampered returns the signed URL with another signature, V1 or V4.
const tampered = url => url.replace(/(ignature=)(.)/, (match, name, first) => name + (first === '0' ? '1' : '0'));

// fetch sends a request without the SDK, as the receiver of a URL does.
function fetch(agent, method, url, { body, headers } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, agent, headers }, response => {
      const chunks = [];
      response.on('data', chunk => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) })
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

function parseOptions() {
  const { values } = util.parseArgs({
    options: {
      port: { type: 'string' },
      style: { type: 'string' }, // path, virtual or ip
      signature: { type: 'string' }, // v1 or v4
      prefix: { type: 'string' }, // bucket names begin with this
      only: { type: 'string' } // run just the scenario of this name
    }
  });
  return {
    ...values,
    region: process.env.OSSA_REGION || 'cn-hangzhou',
    accessKeyId: process.env.OSSA_ROOT_ACCESS_KEY_ID,
    accessKeySecret: process.env.OSSA_ROOT_ACCESS_KEY_SECRET
  };
}

// run runs the scenarios with world and ends the process.
async function run(options, world, scenarios) {
  world.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ossa-compat-'));
  let status = 0;
  for (const [name, scenario] of scenarios) {
    if (options.only && options.only !== name) continue;
    try {
      await scenario(world);
      console.log(`pass\t${name}`);
    } catch (err) {
      status = 1;
      const place = /\(?([^\s(]*ali_oss\.js:\d+)/.exec(err.stack || '');
      const where = place ? path.basename(place[1]) : '?';
      console.log(`fail\t${name}\t${where}: ${String(err).replace(/\s+/g, ' ').slice(0, 900)}`);
    }
  }
  fs.rmSync(world.folder, { recursive: true, force: true });
  process.exit(status);
}

module.exports = {
  PART, LONG_AGO, FAR_AHEAD, AWKWARD_KEYS, Mismatch, Cutting,
  equal, ok, refused, data, md5Hex, md5Base64, unquote, multipartETag, isPart, tampered, fetch, parseOptions, run
};
