package gha

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"unicode"
)

// lineLimit is the length in bytes from which a group's line is broken: what
// has no end must not fill the memory.
const lineLimit = 1 << 20

// holdLimit is how many bytes a group that waits keeps in memory; more is in a file.
const holdLimit = 64 << 10

// group is one collapsed section of the log.
type group struct {
	r       *Runtime
	title   string
	shown   bool // its section was opened before
	closed  bool
	afterCR bool // the last byte written was a carriage return
	text    redaction
	line    []byte // redacted text that no newline has ended yet
	err     error  // the first of the runtime's writer

	// While another group is live: whole lines that are not shown yet.
	kept    []extent // the first of them
	held    []byte   // and the others
	through bool     // none, since they could not be kept: they are shown at once
}

// Group opens a collapsed group of the log and returns the writer of its lines.
// Whatever they hold, they are only text: while they are written the runner
// takes no commands (::stop-commands:: with a random token), "##[", which the
// log's page takes for a heading or the end of a group, is taken apart, and
// secrets are redacted, also where they span writes and lines.
//
// A line appears as soon as it is complete, unless its end may be the beginning
// of a secret of several lines. Each carriage return that no newline follows ends a
// line, as it does for the runner; a last line without newline is completed.
//
// One group can be written to by several goroutines, and several groups can be
// open. The one that was opened first is live; the lines of the others wait, and
// when it is closed those of the next one are shown, in order of opening: so the
// lines of each are together. What waits is in memory up to 64 KiB a group,
// beyond that, and once the group is closed, in a file without a name in the
// runner's temporary folder. Where no file can be written, the lines are shown
// at once. A command, or such a line, ends the section of the live group; its
// next line opens it again.
//
// Write does not fail when the log does: a broken log must not end a
// terraform apply. Close returns what was wrong with the lines shown until then.
// Writing after Close is an error. Every group must be closed: the others wait.
func (r *Runtime) Group(title string) io.WriteCloser {
	r.mu.Lock()
	defer r.mu.Unlock()
	g := &group{r: r, title: r.redacted(oneLine(title))}
	if r.live != nil {
		r.waiting = append(r.waiting, g)
		return g
	}
	r.live = g
	g.print(r.enterSection(g, nil))
	return g
}

func (g *group) Write(p []byte) (int, error) {
	g.r.mu.Lock()
	defer g.r.mu.Unlock()
	if g.closed {
		return 0, io.ErrClosedPipe
	}
	text := make([]byte, 0, len(p))
	for _, b := range p {
		if b == '\n' && g.afterCR {
			g.afterCR = false
			continue // the end of a line that ended already
		}
		if g.afterCR = b == '\r'; g.afterCR {
			b = '\n'
		}
		text = append(text, b)
	}
	g.text.write(text)
	g.flush(false)
	return len(p), nil
}

// Close completes the group, and shows the next one when this one was live.
// Closing twice is harmless.
func (g *group) Close() error {
	g.r.mu.Lock()
	defer g.r.mu.Unlock()
	if g.closed {
		return g.err
	}
	g.closed = true
	g.flush(true)
	g.text, g.line, g.held = redaction{}, nil, nil // it may wait for long
	g.leave()
	if g.r.live == g {
		g.r.nextGroup()
	}
	return g.err
}

// nextGroup shows the groups that wait, until one of them is still open: that
// one is live then.
func (r *Runtime) nextGroup() {
	r.live = nil
	for r.live == nil && len(r.waiting) > 0 {
		g := r.waiting[0]
		r.waiting = slices.Delete(r.waiting, 0, 1)
		if !g.through {
			g.release()
		}
		if !g.closed {
			r.live = g
			continue
		}
		g.leave()
	}
}

// flush shows the lines that are decided; at the end of the text, all of it.
func (g *group) flush(end bool) {
	g.line = g.text.read(g.r.patterns, end, g.line)
	var out []byte
	rest := g.line
	for len(rest) > 0 {
		length := bytes.IndexByte(rest[:min(len(rest), lineLimit+1)], '\n')
		next := length + 1
		if length < 0 {
			if len(rest) <= lineLimit && !end {
				break
			}
			length = min(len(rest), lineLimit)
			next = length
		}
		out = append(append(out, disarmed(string(rest[:length]))...), '\n')
		rest = rest[next:]
	}
	g.line = append(g.line[:0], rest...)
	g.show(out)
}

// show prints whole lines, or holds them back.
func (g *group) show(lines []byte) {
	if g.r.live != g && !g.through {
		g.held = append(g.held, lines...)
		if len(g.held) > holdLimit || g.closed {
			g.keep()
		}
		return
	}
	if len(lines) > 0 && g.r.section != g {
		lines = append(g.r.enterSection(g, nil), lines...)
	}
	g.print(lines)
}

// keep moves the lines that are held back from the memory to the file.
func (g *group) keep() {
	if len(g.held) == 0 {
		return
	}
	place, err := g.r.spool.keep(g.held)
	if err != nil {
		g.through = true
		g.release()
		return
	}
	g.kept = append(g.kept, place)
	g.held = g.held[:0]
}

// release prints all that was held back, in the group's section.
func (g *group) release() {
	g.print(g.r.enterSection(g, nil))
	for _, place := range g.kept {
		lines, err := g.r.spool.take(place)
		if err != nil {
			lines = []byte(disarmed(oneLine("(lines are missing here: "+err.Error()+")")) + "\n")
		}
		g.print(lines)
	}
	g.print(g.held)
	g.kept, g.held = nil, nil
}

// leave ends the group's section, if it is the one that is open.
func (g *group) leave() {
	if g.r.section == g {
		g.print(g.r.leaveSection(nil))
	}
}

func (g *group) print(out []byte) {
	if len(out) == 0 {
		return
	}
	if _, err := g.r.stdout.Write(out); err != nil && g.err == nil {
		g.err = err
	}
}

// enterSection appends to out what ends the section that is open and opens that
// of g.
func (r *Runtime) enterSection(g *group, out []byte) []byte {
	out = r.leaveSection(out)
	title := g.title
	if g.shown {
		title += " (continued)"
	}
	g.shown = true
	r.section = g
	r.resume = r.random()
	return append(out, "::group::"+escapeData(title)+"\n::stop-commands::"+r.resume+"\n"...)
}

// leaveSection appends to out what ends the section that is open, if any.
func (r *Runtime) leaveSection(out []byte) []byte {
	if r.section == nil {
		return out
	}
	r.section = nil
	return append(out, "::"+r.resume+"::\n::endgroup::\n"...)
}

// withoutMarks takes apart what the log's page takes for a mark: ##[error],
// ##[endgroup] and the like, anywhere in a line.
func withoutMarks(text string) string { return strings.ReplaceAll(text, "##[", "## [") }

// disarmed changes a line that the runner could take for a command, were it
// taking commands, or for the end of the stop. It takes "##[" anywhere in a line
// (ActionCommand.TryParse) and "::" at its start, after any white space, with
// another "::" later (TryParseV2). The log's page acts on "##[" itself, even
// while commands are stopped.
func disarmed(line string) string {
	line = withoutMarks(line)
	if text := strings.TrimLeftFunc(line, unicode.IsSpace); strings.HasPrefix(text, "::") && strings.Contains(text[2:], "::") {
		line = line[:len(line)-len(text)] + ": " + text[1:]
	}
	return line
}
