package changes

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
)

// digest hashes what a plan would change, see [Plan.Digest].
//
// Values go in canonically ([tree.appendCanonical]): neither the order of names
// nor whitespace matters. Resource changes go in as they come: Terraform and
// OpenTofu sort them by address and deposed key (jsonplan.MarshalResourceChanges),
// so the same plan has the same order, and hashing needs no memory per resource.
// Timestamps, versions, drift, what is deferred, and marks of sensitivity are
// left out: none of them changes what an apply does.
type digest struct {
	resources, outputs, invocations hash.Hash
	buf                             []byte
}

func newDigest() *digest {
	return &digest{resources: sha256.New(), outputs: sha256.New(), invocations: sha256.New()}
}

// write hashes the nodes as one JSON array, which cannot be taken for another
// split of the same text.
func (d *digest) write(h hash.Hash, t *tree, nodes ...int32) {
	b := append(d.buf[:0], '[')
	for i, n := range nodes {
		if i > 0 {
			b = append(b, ',')
		}
		b = t.appendCanonical(b, n)
	}
	b = append(b, ']')
	h.Write(b)
	d.buf = b
}

func (d *digest) resource(t *tree, c *resourceChange) {
	d.write(d.resources, t, c.resource[fieldAddress], c.resource[fieldPreviousAddress], c.resource[fieldDeposed],
		c.change[fieldActions], c.change[fieldBefore], c.change[fieldAfter], c.change[fieldAfterUnknown],
		c.change[fieldReplacePaths], c.change[fieldImporting])
}

// output hashes the change of an output. Outputs come sorted by name.
func (d *digest) output(t *tree, name string, change []int32) {
	d.outputs.Write(appendQuoted(nil, name))
	d.write(d.outputs, t, change[fieldActions], change[fieldBefore], change[fieldAfter], change[fieldAfterUnknown])
}

func (d *digest) invocation(t *tree) { d.write(d.invocations, t, 0) }

func (d *digest) sum() string {
	h := sha256.New()
	h.Write([]byte("plan changes 1\n"))
	for _, part := range []hash.Hash{d.resources, d.outputs, d.invocations} {
		h.Write(part.Sum(nil))
	}
	return hex.EncodeToString(h.Sum(nil))
}
