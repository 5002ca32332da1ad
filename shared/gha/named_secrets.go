package gha

import (
	"encoding/json"
	"strings"
)

// leastNamedSecret is the least length in bytes of a value that is redacted only because of
// its variable's name. A shorter one is usually a word, and not a secret.
const leastNamedSecret = 8

// secretNames are the ends of names of variables that hold secrets.
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

// namedSecrets are the values in the environment that seem to be secrets by the names of
// their variables. The runner masks the secrets that it knows in the log and in the job
// summary, but nobody masks them in comments and issues. Of a value in JSON, as credentials
// often are, the members whose names say so are secrets.
func namedSecrets(env map[string]string) (secrets []string) {
	for name, value := range env {
		if !isSecretName(name) || len(strings.TrimSpace(value)) < leastNamedSecret {
			continue
		}
		if members, ok := secretMembers(value); ok {
			secrets = append(append(secrets, compact(value)), members...)
			continue
		}
		secrets = append(secrets, value)
	}
	return secrets
}

// secretMembers are the texts in a JSON object whose members' names say that they are secrets. ok is
// false for any other value.
func secretMembers(value string) (secrets []string, ok bool) {
	var document any
	if !strings.HasPrefix(strings.TrimSpace(value), "{") || json.Unmarshal([]byte(value), &document) != nil {
		return nil, false
	}
	return appendMembers(nil, document, false), true
}

// compact joins the lines of JSON: a line by itself, such as a brace, is not a secret.
func compact(value string) string {
	return strings.Join(lines(value), "")
}

// appendMembers adds the texts in a document whose members' names say that they are secrets.
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
