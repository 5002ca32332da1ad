package terraform

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// What is kept of a command's output beyond its log.
const (
	maxDiagnostics = 1000    // of each severity; all of them are in the log
	maxTextKept    = 8 << 10 // bytes of the last lines that are not messages
)

// transcript reads a command's output line by line. It writes what people should read to
// the log, and keeps what the program needs.
type transcript struct {
	atmos       *atmosText // nil without Atmos
	log         io.Writer  // nil when there is none, or none that can be written
	on          func(*message)
	messages    int // how many there were
	version     Version
	diagnostics []Diagnostic
	errors      int
	warnings    int
	text        []byte // the last lines that are not messages
}

func (c *CLI) transcript(on func(*message)) *transcript {
	t := &transcript{log: c.Log, on: on}
	if c.Atmos != nil {
		t.atmos = &atmosText{}
	}
	return t
}

func (t *transcript) line(line []byte, omitted int) {
	if isMessage(line, omitted) {
		t.messages++
	}
	if omitted > 0 {
		t.cutLine(line, omitted)
		return
	}
	m, ok := parseMessage(line)
	if !ok {
		t.plain(string(line))
		return
	}
	if m.Type == "version" {
		if m.OpenTofu != "" {
			t.version = Version{Name: OpenTofu, Number: m.OpenTofu}
		} else {
			t.version = Version{Name: Terraform, Number: m.Terraform}
		}
	}
	var d diagnosticMessage
	if decode(m.Diagnostic, &d) {
		t.keep(d.diagnostic())
		t.write("\n" + d.text() + "\n")
	} else {
		t.write(m.Text + "\n")
	}
	if t.on != nil {
		t.on(m)
	}
}

// cutLine deals with a line that is too long to be held. If it is a message, it can't be
// read, and a warning says that its content is missing.
func (t *transcript) cutLine(line []byte, omitted int) {
	if line[0] != '{' {
		t.plain(fmt.Sprintf("%s [%d more bytes of this line left out]", strings.ToValidUTF8(string(line), ""), omitted))
		return
	}
	d := diagnosticMessage{
		Severity: "warning",
		Summary:  "A message of Terraform was too long to be read",
		Detail: fmt.Sprintf("It has %d bytes, and messages are read up to %d. What it said, "+
			"such as the values of outputs, is missing here.", len(line)+omitted, maxMessageLine),
	}
	t.keep(d.diagnostic())
	t.write("\n" + d.text() + "\n")
}

func (t *transcript) plain(line string) {
	if t.atmos != nil {
		var says bool
		if line, says = t.atmos.line(line); !says {
			return
		}
	}
	t.write(line + "\n")
	t.text = append(append(t.text, line...), '\n')
	if len(t.text) > 2*maxTextKept {
		t.text = append(t.text[:0], t.text[len(t.text)-maxTextKept:]...)
	}
}

func (t *transcript) write(s string) {
	if t.log == nil {
		return
	}
	if _, err := io.WriteString(t.log, s); err != nil {
		t.log = nil
	}
}

func (t *transcript) keep(d Diagnostic) {
	n := &t.errors
	if d.Severity != severityError {
		n = &t.warnings
	}
	if *n++; *n <= maxDiagnostics {
		t.diagnostics = append(t.diagnostics, d)
	}
}

// lastText is the end of what was printed beside messages.
func (t *transcript) lastText() string {
	text := t.text[max(0, len(t.text)-maxTextKept):]
	for len(text) > 0 && !utf8.RuneStart(text[0]) {
		text = text[1:]
	}
	return strings.TrimSpace(string(text))
}
