package changes

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"slices"
)

// digest hashes what a plan would change, and what it is changed with, see
// [Plan.Digest].
//
// Values go in canonically ([tree.appendCanonical]): neither the order of names
// nor whitespace matters. Resource changes go in as they come: Terraform and
// OpenTofu sort them by address and deposed key (jsonplan.MarshalResourceChanges),
// so the same plan has the same order, and hashing needs no memory per resource.
// Of the configuration, each provider and each resource with provisioners is an
// entry of 32 bytes, and these are sorted at the end.
// Timestamps, versions, drift, deferred changes and marks of sensitivity are left
// out: none of them changes what an apply does.
type digest struct {
	resources, outputs, invocations hash.Hash
	configuration                   [][sha256.Size]byte
	buf                             []byte
}

func newDigest() *digest {
	return &digest{resources: sha256.New(), outputs: sha256.New(), invocations: sha256.New()}
}

// write hashes the nodes as one JSON array, so that other nodes with the same text
// together have another hash.
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

// value hashes the tree.
func (d *digest) value(t *tree) [sha256.Size]byte {
	d.buf = t.appendCanonical(d.buf[:0], 0)
	return sha256.Sum256(d.buf)
}

// configured adds the configuration of a provider or a resource in a module.
func (d *digest) configured(kind string, module modulePath, name string, value [sha256.Size]byte) {
	d.buf = append(append(append(d.buf[:0], kind...), module[:]...), value[:]...)
	d.configuration = append(d.configuration, sha256.Sum256(append(d.buf, name...)))
}

func (d *digest) sum() string {
	h := sha256.New()
	h.Write([]byte("plan 1\n"))
	for _, part := range []hash.Hash{d.resources, d.outputs, d.invocations} {
		h.Write(part.Sum(nil))
	}
	slices.SortFunc(d.configuration, func(a, b [sha256.Size]byte) int { return bytes.Compare(a[:], b[:]) })
	for _, entry := range d.configuration {
		h.Write(entry[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}
