// Package infrastructure runs the actions on what providers really do: the AWS provider on moto, and
// the provider of test/provider, which shows what moto cannot.
package infrastructure

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/terraform-gitops/gitops/test/kit/awsprovider"
	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// suite's binaries are all four actions.
var suite = &fakerunner.Suite{Others: []string{"plan", "apply", "drift-detection", "drift-remediation"}}

func TestMain(m *testing.M) {
	suite.M = m
	os.Exit(suite.Run())
}

// version of the AWS provider; testdata/team names it, too.
const version = "5.100.0"

// TestAWS runs the stories with the AWS provider. They begin with the infrastructure of testdata/team.
// Each one has a bucket for states, $BUCKET, and a prefix for the names of resources, $TF_VAR_name; $POLICIES are those of examples/policies.
// Their words, besides those of fakerunner:
//
//	api SERVICE CALL [NAME=VALUE ...]  call AWS, as somebody with access to the account does; the answer is in
//	                                   stdout. For services that read JSON, CALL is the target, and one argument
//	                                   the JSON. For s3 and lambda, CALL is the method, and the argument the path
//	id ADDRESS VAR                     sets $VAR to a resource's id, from the state
//	start-provider                     from here on, Terraform finds the provider and starts it, as on every runner.
//	                                   Otherwise it runs already, see [awsprovider.Serve]
func TestAWS(t *testing.T) {
	t.Parallel()
	cache, err := filepath.Abs("../.tools/aws-provider")
	if err != nil {
		t.Fatal(err)
	}
	policies, err := filepath.Abs("../../examples/policies")
	if err != nil {
		t.Fatal(err)
	}
	mirror, moto := awsprovider.Unpacked(t, cache, version), fakeaws.Start(t)
	environ := moto.Environ()
	reattach := awsprovider.Serve(t, filepath.Join(mirror, awsprovider.Source, version, "*"), append(os.Environ(), environ...), "testdata")
	params := scripts(t, append(environ, awsprovider.ReattachVariable+"="+reattach), moto).Params("testdata/aws")
	setup := params.Setup
	var stories atomic.Int64
	params.Setup = func(env *testscript.Env) error {
		bucket := fmt.Sprintf("states-%d", stories.Add(1))
		objects := s3.NewFromConfig(moto.Config(), func(o *s3.Options) { o.UsePathStyle = true })
		if _, err := objects.CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
			return err
		}
		if err := setup(env); err != nil {
			return err
		}
		env.Setenv("BUCKET", bucket)
		env.Setenv("TF_VAR_name", bucket)
		env.Setenv("MIRROR", mirror)
		env.Setenv("POLICIES", policies)
		return copyTeam(filepath.Join(env.WorkDir, "workspace"), bucket)
	}
	words := map[string]func(*testscript.TestScript, bool, []string){"api": api, "id": id, "start-provider": startProvider}
	for name, word := range params.Cmds {
		words[name] = word
	}
	params.Cmds = words
	testscript.Run(t, params)
}

// TestLegacy runs the stories with the provider example.com/test/legacy.
func TestLegacy(t *testing.T) {
	t.Parallel()
	scripts(t, nil, nil).Run(t, "testdata/legacy")
}

func scripts(t *testing.T, environ []string, moto *fakeaws.Server) fakerunner.Scripts {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return fakerunner.Scripts{Root: root, Actions: suite.Built, Environ: environ, AWS: moto}
}

// copyTeam copies the files of testdata/team that the story itself does not have, and names the bucket.
func copyTeam(workspace, bucket string) error {
	team := os.DirFS("testdata/team")
	return fs.WalkDir(team, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		target := filepath.Join(workspace, name)
		content, err := os.ReadFile(target)
		if err != nil {
			content, err = fs.ReadFile(team, name)
		}
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o750); err != nil {
			return err
		}
		return os.WriteFile(target, []byte(strings.ReplaceAll(string(content), "BUCKET", bucket)), 0o600)
	})
}

func startProvider(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Setenv(awsprovider.ReattachVariable, "")
	mirrors := ""
	for _, dir := range []string{ts.Getenv("MIRROR"), ts.MkAbs("mirror")} {
		mirrors += fmt.Sprintf("  filesystem_mirror {\n    path = %q\n  }\n", dir)
	}
	ts.Check(os.WriteFile(ts.Getenv("TF_CLI_CONFIG_FILE"), []byte("provider_installation {\n"+mirrors+"}\n"), 0o600))
}

func api(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: [!] api SERVICE CALL [NAME=VALUE ...]")
	}
	answer, status := call(ts, args[0], args[1], args[2:])
	_, err := ts.Stdout().Write(answer)
	ts.Check(err)
	if (status >= 300) != neg {
		ts.Fatalf("%v: status %d\n%s", args, status, answer)
	}
}

// versions of the APIs that take a form.
var versions = map[string]string{"ec2": "2016-11-15", "iam": "2010-05-08"}

// call calls moto, which finds the service by the scope of the signature, and checks no signature.
func call(ts *testscript.TestScript, service, name string, args []string) (answer []byte, status int) {
	method, path, body, kind, target := http.MethodPost, "/", "", "application/x-www-form-urlencoded", ""
	switch {
	case service == "s3", service == "lambda":
		method, path = name, args[0]
	case versions[service] != "":
		form := url.Values{"Action": {name}, "Version": {versions[service]}}
		for _, arg := range args {
			key, value, _ := strings.Cut(arg, "=")
			form.Set(key, value)
		}
		body = form.Encode()
	default:
		body, kind, target = strings.Join(args, " "), "application/x-amz-json-1.1", name
	}
	request, err := http.NewRequest(method, ts.Getenv("AWS_ENDPOINT_URL")+path, strings.NewReader(body))
	ts.Check(err)
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=none")
	request.Header.Set("Content-Type", kind)
	if target != "" {
		request.Header.Set("X-Amz-Target", target)
	}
	response, err := http.DefaultClient.Do(request)
	ts.Check(err)
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	ts.Check(err)
	return answer, response.StatusCode
}

func id(ts *testscript.TestScript, _ bool, args []string) {
	answer, _ := call(ts, "s3", http.MethodGet, []string{"/" + ts.Getenv("BUCKET") + "/acme-ue2-dev/network.tfstate"})
	var state struct {
		Resources []struct {
			Module, Type, Name string
			Instances          []struct {
				Attributes struct{ ID string }
			}
		}
	}
	ts.Check(json.Unmarshal(answer, &state))
	for _, r := range state.Resources {
		if strings.TrimPrefix(r.Module+"."+r.Type+"."+r.Name, ".") == args[0] {
			ts.Setenv(args[1], r.Instances[0].Attributes.ID)
			return
		}
	}
	ts.Fatalf("the state has no %s:\n%s", args[0], answer)
}
