package gha

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"unicode"
)

// lineLimit is the length in bytes at which a line of a group is broken: a line without an
// end must not fill the memory.
const lineLimit = 1 << 20

// holdLimit is how many bytes of a waiting group are kept in memory; more is in a file.
const holdLimit = 64 << 10

// group is one collapsed section of the log.
type group struct {
	r       *Runtime
	title   string
	shown   bool // its section has been opened before
	closed  bool
	afterCR bool // the last byte written was a carriage return
	text    redaction
	line    []byte // redacted text after the last newline
	err     error  // the first error of the runtime's writer

	// Whole lines that wait while another group is live.
	kept         []extent // the first ones, in the spool
	held         []byte   // the others, in memory
	writeThrough bool     // spooling has failed, so lines are shown at once
}

// Group opens a collapsed group of the log and returns a writer for its lines.
//
// Lines are only text, whatever they hold. While they are written, the runner ignores
// commands (::stop-commands:: with a random token). "##[", which the log's page takes for a
// heading or the end of a group, is broken up. Secrets are redacted, also if they are split
// over several writes or lines.
//
// A line appears as soon as it is complete, unless its end may be the beginning of a secret
// of several lines. A carriage return without a newline ends a line, as it does for the
// runner. A last line without a newline gets one.
//
// Several goroutines may write to one group, and several groups may be open. The one that was
// opened first is live. The lines of the others wait until it is closed; then the next one
// is shown, in the order of opening. So the lines of each group stay together. A waiting
// group keeps up to 64 KiB in memory, and the rest in an unlinked file in the runner's
// temporary folder; a closed one keeps all of it in the file. If the file cannot be written,
// the lines are shown at once. A command, or such a line, ends the section of the live group;
// that group's next line opens it again.
//
// Write does not fail if the log cannot be written: that must not end a terraform apply.
// Close returns the first such error. Writing after Close is an error. Close every group:
// the others wait for it.
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
			continue // the carriage return has ended this line before
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

// Close completes the group. If it was live, the next group is shown. A second call does
// nothing.
func (g *group) Close() error {
	g.r.mu.Lock()
	defer g.r.mu.Unlock()
	if g.closed {
		return g.err
	}
	g.closed = true
	g.flush(true)
	g.text, g.line, g.held = redaction{}, nil, nil // the group may have to wait for a long time
	g.leave()
	if g.r.live == g {
		g.r.nextGroup()
	}
	return g.err
}

// nextGroup shows the waiting groups, up to the first one that is still open. That one is
// then live.
func (r *Runtime) nextGroup() {
	r.live = nil
	for r.live == nil && len(r.waiting) > 0 {
		g := r.waiting[0]
		r.waiting = slices.Delete(r.waiting, 0, 1)
		if !g.writeThrough {
			g.release()
		}
		if !g.closed {
			r.live = g
			continue
		}
		g.leave()
	}
}

// flush shows the lines that are complete and redacted; at the end, everything.
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

// show prints whole lines, or keeps them until the group is live.
func (g *group) show(lines []byte) {
	if g.r.live != g && !g.writeThrough {
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

// keep moves the waiting lines from memory to the spool.
func (g *group) keep() {
	if len(g.held) == 0 {
		return
	}
	place, err := g.r.spool.keep(g.held)
	if err != nil {
		g.writeThrough = true
		g.release()
		return
	}
	g.kept = append(g.kept, place)
	g.held = g.held[:0]
}

// release prints all waiting lines, in the group's section.
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

// leave ends the group's section, if that is open.
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

// enterSection appends to out what ends the open section and opens the section of g.
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

// leaveSection appends to out what ends the open section, if there is one.
func (r *Runtime) leaveSection(out []byte) []byte {
	if r.section == nil {
		return out
	}
	r.section = nil
	return append(out, "::"+r.resume+"::\n::endgroup::\n"...)
}

// withoutMarks breaks up what the log's page would take for a mark, such as ##[error] or
// ##[endgroup], anywhere in a line.
func withoutMarks(text string) string { return strings.ReplaceAll(text, "##[", "## [") }

// disarmed changes a line that the runner could take for a command or for the end of
// ::stop-commands::. The runner reads "##[" anywhere in a line (ActionCommand.TryParse), and
// "::" at the start, after white space, with another "::" later (TryParseV2). The log's page
// acts on "##[" even while commands are stopped.
func disarmed(line string) string {
	line = withoutMarks(line)
	if text := strings.TrimLeftFunc(line, unicode.IsSpace); strings.HasPrefix(text, "::") && strings.Contains(text[2:], "::") {
		line = line[:len(line)-len(text)] + ": " + text[1:]
	}
	return line
}
