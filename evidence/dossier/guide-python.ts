/** The blocks of VERIFY.md that need loops over bytes: Python with its standard library and jwcrypto. Portable. @module */

/** RFC 7515: each record by the key in the certificate that it names. */
export const SIGNATURES = `/usr/bin/python3 - records/*.jws <<'END'
import base64, json, sys
from jwcrypto import jwk, jws
for name in sys.argv[1:]:
    text = open(name).read()
    header = json.loads(base64.urlsafe_b64decode(text.split('.')[0] + '=='))
    digest = base64.urlsafe_b64decode(header['x5t#S256'] + '=').hex()
    key = jwk.JWK.from_pem(open(f'certificates/{digest}.pem', 'rb').read())
    token = jws.JWS()
    token.deserialize(text)
    token.verify(key, alg='ES256')
    print('good signature:', name)
END`

/** RFC 9162 §2.1.3.2, and what the leaf says of the record, or of the end of the log before. */
export const INCLUSION = `/usr/bin/python3 - proofs/*/*.tlog-proof <<'END'
import base64, glob, sys
from hashlib import sha256
def node_hash(left, right): return sha256(b'\\1' + left + right).digest()
def digest_of(name):
    digest = sha256(open(name, 'rb').read()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip('=')
for name in sys.argv[1:]:
    _, checkpoint, file = name.split('/')
    rid = file[:36]
    leaf = open(f'leaves/{rid}.txt', 'rb').read()
    form, leaf_rid, kind, leaf_digest, *_ = leaf.decode().split()
    turn = kind in ('turn', 'restore')
    fixed = glob.glob('checkpoints/*.note') if turn else [f'records/{rid}.jws']
    assert (form, leaf_rid) == ('evr/1', rid), name
    assert leaf_digest in map(digest_of, fixed), name
    head, note = open(name).read().split('\\n\\n', 1)
    assert note == open(f'checkpoints/{checkpoint}.note').read(), name
    _, index, *hashes = head.split('\\n')
    _, size, root = note.split('\\n')[:3]
    node, last = int(index.split(' ')[1]), int(size) - 1
    assert node <= last, name
    value = sha256(b'\\0' + leaf).digest()
    for line in hashes:
        other = base64.b64decode(line, validate=True)
        assert last > 0, name
        if node % 2 or node == last:
            value = node_hash(other, value)
            while node % 2 == 0 and node > 0: node, last = node // 2, last // 2
        else:
            value = node_hash(value, other)
        node, last = node // 2, last // 2
    assert last == 0 and value == base64.b64decode(root, validate=True), name
    print('in the log:', name)
END`

/** RFC 9162 §2.1.4.2. */
export const CONSISTENCY = `/usr/bin/python3 - consistency/*/*.txt <<'END'
import base64, sys
from hashlib import sha256
def node_hash(left, right): return sha256(b'\\1' + left + right).digest()
def head_of(note): return int(note.split('\\n')[1]), base64.b64decode(note.split('\\n')[2], validate=True)
for name in sys.argv[1:]:
    _, old_id, file = name.split('/')
    head, note = open(name).read().split('\\n\\n', 1)
    assert note == open(f'checkpoints/{file[:-4]}.note').read(), name
    old_size, old_root = head_of(open(f'checkpoints/{old_id}.note').read())
    new_size, new_root = head_of(note)
    old_line, *lines = head.split('\\n')
    assert old_line == f'old {old_size}', name
    path = [base64.b64decode(line, validate=True) for line in lines]
    node, last = old_size - 1, new_size - 1
    while node % 2: node, last = node // 2, last // 2
    if node == 0: path = [old_root] + path
    old = new = path[0]
    for other in path[1:]:
        assert last > 0, name
        if node % 2 or node == last:
            old, new = node_hash(other, old), node_hash(other, new)
            while node % 2 == 0 and node > 0: node, last = node // 2, last // 2
        else:
            new = node_hash(new, other)
        node, last = node // 2, last // 2
    assert last == 0 and (old, new) == (old_root, new_root), name
    print('extends:', name)
END`

/** RFC 9901 §4.2.3. */
export const DISCLOSURES = `/usr/bin/python3 - disclosures/*.txt <<'END'
import base64, json, sys
from hashlib import sha256
for name in sys.argv[1:]:
    rid = name[len('disclosures/'):-len('.txt')]
    body = open(f'records/{rid}.jws').read().split('.')[1]
    payload = json.loads(base64.urlsafe_b64decode(body + '=' * (-len(body) % 4)))
    for line in open(name).read().splitlines():
        digest = base64.urlsafe_b64encode(sha256(line.encode()).digest()).decode().rstrip('=')
        assert digest in payload['_sd'], name
        print(rid, base64.urlsafe_b64decode(line + '=' * (-len(line) % 4)).decode())
END`

/** Number and predecessor of each record within its instance. */
export const ORDER = `/usr/bin/python3 - records/*.jws <<'END'
import base64, json, sys
from hashlib import sha256
records = []
for name in sys.argv[1:]:
    text = open(name).read()
    body = text.split('.')[1]
    payload = json.loads(base64.urlsafe_b64decode(body + '=' * (-len(body) % 4)))
    digest = base64.urlsafe_b64encode(sha256(text.encode()).digest()).decode().rstrip('=')
    records.append((payload['instance'], payload['seq'], payload['prev'], digest, name))
records.sort()
for before, after in zip(records, records[1:]):
    if before[0] != after[0]: continue
    assert before[1] < after[1], after
    if before[1] + 1 == after[1]: assert after[2] == before[3], after
    else: print(f'not in this dossier: numbers {before[1] + 1} to {after[1] - 1} of {after[0]}')
complete = json.load(open('catalogue.json'))['complete']
gaps = any(a[0] == b[0] and a[1] + 1 != b[1] for a, b in zip(records, records[1:]))
assert not (complete and gaps), 'the catalogue says that nothing is left out'
END`
