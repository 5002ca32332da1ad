package terraform

import (
	"fmt"
	"strings"
)

// Diagnostic is one error or warning of Terraform, with its place in the
// configuration where Terraform names one.
type Diagnostic struct {
	Severity string // "error" or "warning"
	Summary  string
	Detail   string
	Address  string // of the resource, when it is about one
	File     string // relative to the directory Terraform ran in; empty when there is no place
	Line     int    // 1-based; 0 when there is no place
	EndLine  int
	Snippet  string // the source line or lines
}

const severityError = "error"

// maxDiagnosticText bounds each text of a kept diagnostic, in bytes: providers
// put whole responses into details.
const maxDiagnosticText = 64 << 10

// diagnosticMessage is a diagnostic as the machine-readable log has it.
// https://developer.hashicorp.com/terraform/cli/commands/validate#json
type diagnosticMessage struct {
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
	Address  string `json:"address"`
	Range    *struct {
		File  string `json:"filename"`
		Start struct {
			Line int `json:"line"`
		} `json:"start"`
		End struct {
			Line int `json:"line"`
		} `json:"end"`
	} `json:"range"`
	Snippet *struct {
		Context   string `json:"context"` // such as `resource "x" "y"`; null when there is none
		Code      string `json:"code"`
		StartLine int    `json:"start_line"`
		Values    []struct {
			Traversal string `json:"traversal"`
			Statement string `json:"statement"` // Terraform leaves sensitive values out
		} `json:"values"`
	} `json:"snippet"`
}

func (m *diagnosticMessage) diagnostic() Diagnostic {
	d := Diagnostic{
		Severity: m.Severity,
		Summary:  cut(m.Summary),
		Detail:   cut(m.Detail),
		Address:  m.Address,
	}
	if m.Range != nil {
		d.File = m.Range.File
		d.Line, d.EndLine = m.Range.Start.Line, m.Range.End.Line
	}
	if m.Snippet != nil {
		d.Snippet = cut(m.Snippet.Code)
	}
	return d
}

func cut(s string) string {
	if len(s) <= maxDiagnosticText {
		return s
	}
	return strings.ToValidUTF8(s[:maxDiagnosticText], "") + " […]"
}

// text is the diagnostic in the form that Terraform prints for people, without
// its colours and frame.
func (m *diagnosticMessage) text() string {
	var b strings.Builder
	title := "Error"
	if m.Severity != severityError {
		title = "Warning"
	}
	fmt.Fprintf(&b, "%s: %s\n", title, m.Summary)
	if m.Address != "" || m.Range != nil {
		b.WriteString("\n")
	}
	if m.Address != "" {
		fmt.Fprintf(&b, "  with %s", m.Address)
		if m.Range != nil {
			b.WriteString(",")
		}
		b.WriteString("\n")
	}
	if m.Range != nil {
		fmt.Fprintf(&b, "  on %s line %d", m.Range.File, m.Range.Start.Line)
		if m.Snippet == nil {
			b.WriteString("\n")
		} else {
			if m.Snippet.Context != "" {
				fmt.Fprintf(&b, ", in %s", m.Snippet.Context)
			}
			b.WriteString(":\n")
			for i, line := range strings.Split(m.Snippet.Code, "\n") {
				fmt.Fprintf(&b, "%4d: %s\n", m.Snippet.StartLine+i, line)
			}
			if len(m.Snippet.Values) > 0 {
				b.WriteString("    ├────────────────\n")
			}
			for _, v := range m.Snippet.Values {
				fmt.Fprintf(&b, "    │ %s %s\n", v.Traversal, v.Statement)
			}
		}
	}
	if m.Detail != "" {
		fmt.Fprintf(&b, "\n%s\n", m.Detail)
	}
	return b.String()
}

// place says where a diagnostic is, for an error of one line.
func (d Diagnostic) place() string {
	switch {
	case d.File != "":
		return fmt.Sprintf("on %s line %d: ", d.File, d.Line)
	case d.Address != "":
		return "with " + d.Address + ": "
	}
	return ""
}
