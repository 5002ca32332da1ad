package terraform

import (
	"io"
	"os"

	"github.com/go-json-experiment/json/jsontext"
)

// StateLineage is the lineage of the state in a file, by which Terraform tells one state
// from another. It is empty where the file does not tell.
func StateLineage(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	var p Planfile
	if p.readStateHead(jsontext.NewDecoder(io.LimitReader(f, maxStateHead))) != nil {
		return ""
	}
	return p.Lineage
}
