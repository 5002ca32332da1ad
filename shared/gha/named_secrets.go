package gha

import (
	"encoding/json"
	"strings"
)

// leastNamedSecret is the length in bytes from which a value is redacted for the name of
// its variable alone: what is shorter is a word as a rule, and no secret.
const leastNamedSecret = 8

// secretNames are how names of variables end that hold secrets.
var secretNames = []string{"TOKEN", "SECRET", "PASSWORD", "KEY", "CREDENTIALS"}

func isSecretName(name string) bool {
	name = strings.ToUpper(name)
	for _, end := range secretNames {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// namedSecrets are the values of the environment that are secrets by the names of their
// variables. The runner masks the secrets that it knows in the log and in the job
// summary, and nobody masks them in what is written through GitHub's API. Of JSON, as
// credentials often are, the members count whose names say so.
func namedSecrets(env map[string]string) (secrets []string) {
	for name, value := range env {
		if !isSecretName(name) || len(strings.TrimSpace(value)) < leastNamedSecret {
			continue
		}
		var document any
		if strings.HasPrefix(strings.TrimSpace(value), "{") && json.Unmarshal([]byte(value), &document) == nil {
			secrets = appendMembers(append(secrets, compact(value)), document, false)
			continue
		}
		secrets = append(secrets, value)
	}
	return secrets
}

// compact is JSON on one line: its lines by themselves, such as a brace, are no secrets.
func compact(value string) string {
	return strings.Join(lines(value), "")
}

// appendMembers adds the texts in a document that are secrets by the names of their members.
func appendMembers(to []string, value any, secret bool) []string {
	switch value := value.(type) {
	case string:
		if secret && len(value) >= leastNamedSecret {
			to = append(to, value)
		}
	case []any:
		for _, element := range value {
			to = appendMembers(to, element, secret)
		}
	case map[string]any:
		for name, member := range value {
			to = appendMembers(to, member, secret || isSecretName(name) || isSecretName(strings.TrimSuffix(name, "_id")))
		}
	}
	return to
}
