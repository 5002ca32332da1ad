package fakegithub

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

// descriptionPath is GitHub's OpenAPI description of api.github.com, as the npm package
// @octokit/openapi carries it.
const descriptionPath = "test/npm/node_modules/@octokit/openapi/generated/api.github.com.json"

// loadDescription reads the description once, from the nearest folder at or above the working
// folder that has it.
var loadDescription = sync.OnceValues(func() (*openapi3.T, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for {
		data, err := os.ReadFile(filepath.Join(dir, descriptionPath))
		if err == nil {
			return readDescription(data)
		}
		if !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return nil, fmt.Errorf("%s is not there: run `make tools` (or `npm ci` in test/npm)", descriptionPath)
		}
		dir = parent
	}
})

// readDescription keeps only the paths that are served, and what these refer to. The whole
// description has 13 MB, for which kin-openapi takes seconds; this takes a tenth of a second.
func readDescription(data []byte) (*openapi3.T, error) {
	whole := members(data)
	described, parts := members(whole["paths"]), map[string]map[string]json.RawMessage{}
	for kind, all := range members(whole["components"]) {
		parts[kind] = members(all)
	}
	paths := map[string]json.RawMessage{}
	components := map[string]map[string]json.RawMessage{}
	var missing error
	var keep func(raw json.RawMessage)
	keep = func(raw json.RawMessage) {
		for _, ref := range reference.FindAllSubmatch(raw, -1) {
			kind, name := string(ref[1]), string(ref[2])
			if _, kept := components[kind][name]; kept {
				continue
			}
			if components[kind] == nil {
				components[kind] = map[string]json.RawMessage{}
			}
			part, ok := parts[kind][name]
			if !ok {
				missing = errors.Join(missing, fmt.Errorf("GitHub's OpenAPI description has no %s %s", kind, name))
				continue
			}
			components[kind][name] = part
			keep(part)
		}
	}
	for _, op := range operations {
		part, ok := described[op.path]
		if !ok {
			missing = errors.Join(missing, fmt.Errorf("GitHub's OpenAPI description has no path %s", op.path))
			continue
		}
		paths[op.path] = part
		keep(part)
	}
	keep(json.RawMessage(`"#/components/schemas/basic-error"`))
	if missing != nil {
		return nil, missing
	}
	cut, err := json.Marshal(map[string]any{"openapi": whole["openapi"], "info": whole["info"], "paths": paths, "components": components})
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(cut)
	if err != nil {
		return nil, fmt.Errorf("read GitHub's OpenAPI description: %w", err)
	}
	return doc, nil
}

// members are the members of a JSON object whose names have no escapes. It looks only for where
// values begin and end, and not with the race detector: encoding/json takes 0.2 s for all of the
// description, and 1.5 s with the race detector, in each process of a test.
//
//go:norace
func members(object []byte) map[string]json.RawMessage {
	all := map[string]json.RawMessage{}
	depth, name, value := 0, "", 0 // value is where the current one begins; 0 before its colon
	for i := 0; i < len(object); i++ {
		switch c := object[i]; c {
		case '"':
			start := i + 1
			for i++; i < len(object) && object[i] != '"'; i++ {
				if object[i] == '\\' {
					i++
				}
			}
			if depth == 1 && value == 0 && i < len(object) {
				name = string(object[start:i])
			}
		case '{', '[':
			depth++
		case ':':
			if depth == 1 {
				value = i + 1
			}
		case ',', '}', ']':
			if depth == 1 && value > 0 {
				all[name], value = object[value:i], 0
			}
			if c != ',' {
				depth--
			}
		}
	}
	return all
}

// reference finds every pointer to a component, in a $ref or a discriminator.
var reference = regexp.MustCompile(`"#/components/([^/"]+)/([^/"]+)"`)
