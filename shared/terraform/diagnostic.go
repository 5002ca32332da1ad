package terraform

// Diagnostic is one error or warning of Terraform, with its place in the
// configuration where Terraform names one.
type Diagnostic struct {
	Severity string // "error" or "warning"
	Summary  string
	Detail   string
	Address  string // of the resource, when it is about one
	File     string // relative to the directory Terraform ran in; empty when there is no place
	Line     int    // 1-based; 0 when there is no place
	Column   int
	EndLine  int
	Snippet  string // the source line or lines
}
