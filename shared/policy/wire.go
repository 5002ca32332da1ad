package policy

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/terraform-gitops/gitops/shared/changes"
)

// What goes to the evaluator's stdin are frames: a byte that says what it is, the length in 4
// bytes, and the content. So nothing in a plan can be taken for its end or for what follows it.
const (
	frameRequest = 'R' // Request, as JSON; the first
	framePlan    = 'P' // a part of the plan JSON
	frameCounts  = 'C' // changes.Counts, as JSON; the last. It says that the plan is whole.
)

const (
	frameHeader = 5
	maxFrame    = 1 << 30
)

// Request is the first thing that the evaluator gets.
type Request struct {
	Policies Set
	Facts    Facts
	Time     time.Duration // for the evaluation, after the plan has arrived
	Memory   int64         // bytes
}

// appendFrame appends a frame.
func appendFrame(dst []byte, kind byte, content []byte) []byte {
	dst = append(dst, kind)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(content)))
	return append(dst, content...)
}

// Incoming reads what an evaluator gets: the request, the plan JSON (it is an [io.Reader] of that),
// and the counts.
type Incoming struct {
	r    *bufio.Reader
	left int // bytes of the plan's frame that are not read yet
	kind byte
	next int // length of the frame whose kind is kind, if that is not a plan's
	err  error
}

// NewIncoming returns an Incoming that reads from r.
func NewIncoming(r io.Reader) *Incoming {
	return &Incoming{r: bufio.NewReaderSize(r, 64<<10)}
}

// Request reads the request.
func (in *Incoming) Request() (Request, error) {
	var request Request
	in.header()
	err := in.decode(frameRequest, &request)
	return request, err
}

// Read reads the plan JSON. It returns io.EOF if all of it was read, and io.ErrUnexpectedEOF if the
// sender has ended before.
func (in *Incoming) Read(p []byte) (int, error) {
	for in.left == 0 && in.err == nil && in.kind != frameCounts {
		if in.header(); in.err == nil && in.kind == framePlan {
			in.left = in.next
		}
	}
	switch {
	case in.err != nil:
		return 0, in.err
	case in.kind == frameCounts:
		return 0, io.EOF
	case in.kind != framePlan:
		in.err = fmt.Errorf("unexpected frame %q", in.kind)
		return 0, in.err
	}
	n, err := in.r.Read(p[:min(len(p), in.left)])
	in.left -= n
	if err != nil {
		in.err = unexpected(err)
	}
	return n, in.err
}

// Counts reads the counts, which follow the plan.
func (in *Incoming) Counts() (changes.Counts, error) {
	var counts changes.Counts
	err := in.decode(frameCounts, &counts)
	return counts, err
}

// Wait returns when the sender has ended.
func (in *Incoming) Wait() { _, _ = io.Copy(io.Discard, in.r) }

func (in *Incoming) header() {
	var header [frameHeader]byte
	if _, err := io.ReadFull(in.r, header[:]); err != nil {
		in.err = unexpected(err)
		return
	}
	in.kind, in.next = header[0], int(binary.BigEndian.Uint32(header[1:]))
	if in.next > maxFrame {
		in.err = errors.New("a frame is too long")
	}
}

func (in *Incoming) decode(kind byte, to any) error {
	if in.err != nil {
		return in.err
	}
	if in.kind != kind {
		return fmt.Errorf("unexpected frame %q", in.kind)
	}
	content := io.LimitReader(in.r, int64(in.next))
	decoder := json.NewDecoder(content)
	err := decoder.Decode(to)
	if err == nil && decoder.InputOffset() != int64(in.next) {
		err = errors.New("something follows it")
	}
	if err != nil {
		in.err = fmt.Errorf("frame %q: %w", kind, unexpected(err))
	}
	return in.err
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
