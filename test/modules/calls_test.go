package modules

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
)

// requests returns the requests that IAM evaluates for one call of the actions.
func (a *account) requests(t *testing.T, c fakeaws.Call) []request {
	t.Helper()
	switch c.Service {
	case "sts":
		return []request{a.assume(c.Role, claimsOf(t, c.Body))}
	case "s3":
		return a.s3Requests(t, c)
	case "dynamodb":
		return a.dynamodbRequests(t, c)
	}
	t.Fatalf("a call to %s, which the actions have no use for", c.Service)
	return nil
}

// claimsOf reads the claims of the token that was sent to STS.
func claimsOf(t *testing.T, body []byte) map[string]string {
	t.Helper()
	form, err := url.ParseQuery(string(body))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(form.Get("WebIdentityToken"), ".")
	if len(parts) != 3 {
		t.Fatalf("STS was sent no token: %s", body)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]string
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// assume returns a request for a role with a token that has these claims.
func (a *account) assume(role string, claims map[string]string) request {
	context := map[string]any{}
	for _, claim := range []string{"aud", "sub", "job_workflow_ref", "ref"} { // those that the policies speak of
		if value, ok := claims[claim]; ok {
			context[claimPrefix+claim] = value
		}
	}
	return request{Role: role, Action: "sts:AssumeRoleWithWebIdentity", Resource: "arn:aws:iam::" + a.policies.Account + ":role/" + role, Context: context}
}

// tls is the context of a connection to AWS. moto itself is on loopback, over plain HTTP.
func tls() map[string]any {
	return map[string]any{"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
}

// s3Headers are the headers of an upload that are condition keys.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
var s3Headers = map[string]string{
	"If-None-Match":                                   "s3:if-none-match",
	"X-Amz-Server-Side-Encryption":                    "s3:x-amz-server-side-encryption",
	"X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id":     "s3:x-amz-server-side-encryption-aws-kms-key-id",
	"X-Amz-Server-Side-Encryption-Customer-Algorithm": "s3:x-amz-server-side-encryption-customer-algorithm",
}

func (a *account) s3Requests(t *testing.T, c fakeaws.Call) []request {
	t.Helper()
	bucket, key, _ := strings.Cut(strings.TrimPrefix(c.URL.Path, "/"), "/")
	r := request{Role: c.Role, Resource: "arn:aws:s3:::" + bucket + "/" + key, Context: tls()}
	through := "kms:Decrypt"
	switch {
	case c.Method == "PUT" && key != "":
		r.Action, through = "s3:PutObject", "kms:GenerateDataKey"
		for header, name := range s3Headers {
			if value := c.Header.Get(header); value != "" {
				r.Context[name] = value
			}
		}
	case c.Method == "GET" && key != "" && c.URL.Query().Has("versionId"):
		r.Action = "s3:GetObjectVersion"
		r.Context["s3:VersionId"] = c.URL.Query().Get("versionId")
	case (c.Method == "GET" || c.Method == "HEAD") && key != "":
		r.Action = "s3:GetObject"
	case c.Method == "GET" && c.URL.Query().Has("list-type"):
		r.Action, r.Resource = "s3:ListBucket", "arn:aws:s3:::"+bucket
	case c.Method == "DELETE" && key != "":
		r.Action = "s3:DeleteObject"
	default:
		t.Fatalf("S3 call %s %s: say what permission it needs", c.Method, c.URL)
	}
	if bucket == a.states { // which S3 encrypts with a key of its own
		return []request{r}
	}
	return []request{r, a.useKey(c.Role, through)}
}

// useKey returns the request that S3 makes to KMS for the caller, if the bucket has a bucket key.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#encryption-context
func (a *account) useKey(role, action string) request {
	return request{Role: role, Action: action, Resource: a.policies.KeyARN, Context: map[string]any{
		"kms:ViaService": "s3." + region + ".amazonaws.com", "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::" + a.bucket,
	}}
}

// item returns a request for items of the table with these partition keys.
func (a *account) item(role, action string, pk ...string) request {
	return request{Role: role, Action: "dynamodb:" + action, Resource: a.tableARN, Context: map[string]any{"dynamodb:LeadingKeys": pk}}
}

type attribute struct{ S string }

type keyed struct {
	TableName string
	Key, Item map[string]attribute
}

func (k keyed) pk() string { return k.Key["pk"].S + k.Item["pk"].S }

func (a *account) dynamodbRequests(t *testing.T, c fakeaws.Call) []request {
	t.Helper()
	var body struct {
		keyed
		IndexName                 string
		ExpressionAttributeValues map[string]attribute
		RequestItems              map[string]struct{ Keys []map[string]attribute }
		TransactItems             []struct{ Put, Update, ConditionCheck, Delete *keyed }
	}
	if err := json.Unmarshal(c.Body, &body); err != nil {
		t.Fatalf("DynamoDB call %s: %v", c.Operation, err)
	}
	// A transaction needs the permission of each of its parts:
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
	switch c.Operation {
	case "PutItem":
		return []request{a.item(c.Role, c.Operation, body.pk())}
	case "Query":
		if body.IndexName != "" { // the index's own partition key
			r := a.item(c.Role, c.Operation, body.ExpressionAttributeValues[":value"].S)
			r.Resource += "/index/" + body.IndexName
			return []request{r}
		}
		return []request{a.item(c.Role, c.Operation, body.ExpressionAttributeValues[":pk"].S)}
	case "BatchGetItem":
		var keys []string
		for _, k := range body.RequestItems[a.table].Keys {
			keys = append(keys, k["pk"].S)
		}
		return []request{a.item(c.Role, c.Operation, keys...)}
	case "TransactWriteItems":
		var all []request
		for i, part := range body.TransactItems {
			switch {
			case part.Put != nil:
				all = append(all, a.item(c.Role, "PutItem", part.Put.pk()))
			case part.Update != nil:
				all = append(all, a.item(c.Role, "UpdateItem", part.Update.pk()))
			case part.ConditionCheck != nil:
				all = append(all, a.item(c.Role, "ConditionCheckItem", part.ConditionCheck.pk()))
			default:
				t.Fatalf("part %d of a transaction: say what permission it needs: %s", i, c.Body)
			}
		}
		return all
	}
	t.Fatalf("DynamoDB call %s: say what permission it needs", c.Operation)
	return nil
}

func (r request) String() string {
	return fmt.Sprintf("%s: %s on %s with %v", r.Role, r.Action, r.Resource, r.Context)
}
