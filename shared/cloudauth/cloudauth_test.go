package cloudauth_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/cloudauth"
)

const provider = "projects/123/locations/global/workloadIdentityPools/github/providers/acme"

var (
	google = &cloudauth.Google{WorkloadIdentityProvider: provider, ServiceAccount: "planner@acme.iam.gserviceaccount.com"}
	azure  = &cloudauth.Azure{ClientID: "client", TenantID: "tenant", SubscriptionID: "subscription"}
)

// issuer gives tokens with a number, as long as it has no failure.
type issuer struct {
	mu      sync.Mutex
	given   int
	failure error
}

func (i *issuer) token(_ context.Context, audience string) (string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.failure != nil {
		return "", i.failure
	}
	i.given++
	claims := fmt.Sprintf(`{"aud":%q,"jti":"%d","iat":%d,"exp":%d}`, audience, i.given, time.Now().Unix(), time.Now().Add(5*time.Minute).Unix())
	return "header." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".signature", nil
}

func (i *issuer) fail(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.failure = err
}

// claims are those of the token in a file.
func claims(t *testing.T, file string) (aud, jti string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(string(content), ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var c struct{ Aud, Jti string }
	if err := json.Unmarshal(payload, &c); err != nil {
		t.Fatal(err)
	}
	return c.Aud, c.Jti
}

func TestFilesAndVariables(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files, err := cloudauth.Keep(t.Context(), cloudauth.Request{Google: google, Azure: azure, Token: new(issuer).token, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"GOOGLE_APPLICATION_CREDENTIALS":         filepath.Join(dir, "google-credentials.json"),
		"CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE": filepath.Join(dir, "google-credentials.json"),
		"ARM_USE_OIDC":                           "true",
		"ARM_USE_CLI":                            "false",
		"ARM_OIDC_TOKEN_FILE_PATH":               filepath.Join(dir, "azure-id-token"),
		"ARM_CLIENT_ID":                          "client",
		"ARM_TENANT_ID":                          "tenant",
		"ARM_SUBSCRIPTION_ID":                    "subscription",
		"AZURE_CLIENT_ID":                        "client",
		"AZURE_TENANT_ID":                        "tenant",
		"AZURE_FEDERATED_TOKEN_FILE":             filepath.Join(dir, "azure-id-token"),
	}
	if diff := cmp.Diff(want, files.Environment()); diff != "" {
		t.Error(diff)
	}
	for name, audience := range map[string]string{"google-id-token": "https://iam.googleapis.com/" + provider, "azure-id-token": "api://AzureADTokenExchange"} {
		if aud, _ := claims(t, filepath.Join(dir, name)); aud != audience {
			t.Errorf("%s is for %s, want %s", name, aud, audience)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("%d files (%v), want 3", len(entries), err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v (%v)", e.Name(), info.Mode(), err)
		}
	}
	if err := files.Close(); err != nil {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("after Close there are %v", entries)
	}
}

func TestNoIdentityNoFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files, err := cloudauth.Keep(t.Context(), cloudauth.Request{Dir: dir})
	if err != nil || len(files.Environment()) != 0 {
		t.Errorf("%v, %v", files.Environment(), err)
	}
	if err := files.Close(); err != nil {
		t.Error(err)
	}
}

// GitHub's tokens are valid for five minutes. At any time, the one in the file is valid for two
// more, also after the job was cancelled.
func TestTokensAreRenewed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		warned := make(chan string, 10)
		from := &issuer{}
		files, err := cloudauth.Keep(ctx, cloudauth.Request{Azure: azure, Token: from.token, Dir: dir, Failed: func(err error, cloud string, ends time.Time) {
			warned <- fmt.Sprint(cloud, " ", err, " ", time.Until(ends).Round(time.Second))
		}})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		holds := func(want string) {
			t.Helper()
			synctest.Wait()
			if _, jti := claims(t, filepath.Join(dir, "azure-id-token")); jti != want {
				t.Errorf("token %s, want %s", jti, want)
			}
		}
		holds("1")
		time.Sleep(2*time.Minute + 40*time.Second)
		holds("2")

		from.fail(errors.New("no connection"))
		time.Sleep(2*time.Minute + 40*time.Second)
		holds("2")
		if warning := <-warned; len(warned) != 0 || !strings.HasPrefix(warning, "azure no connection 2m") {
			t.Errorf("warned of %q, and %d times more", warning, len(warned))
		}
		from.fail(nil)
		time.Sleep(20 * time.Second)
		holds("3")
		if err := files.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Nothing is left of a sign-in that failed: the one to Azure, after that to Google.
func TestFailuresLeaveNothing(t *testing.T) {
	t.Parallel()
	denied := errors.New("no permission id-token")
	for name, test := range map[string]struct {
		token string
		err   error
		want  string
	}{
		"refused": {err: denied, want: "sign in to azure: no permission id-token"},
		"no exp":  {token: "a.e30.c", want: "sign in to azure: GitHub's ID token does not say when it ends (claims iat, exp)"},
		"no JWT":  {token: "opaque", want: "sign in to azure: GitHub's ID token does not say when it ends (claims iat, exp)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			good := &issuer{}
			_, err := cloudauth.Keep(t.Context(), cloudauth.Request{Google: google, Azure: azure, Dir: dir, Token: func(ctx context.Context, audience string) (string, error) {
				if strings.HasPrefix(audience, "api:") {
					return test.token, test.err
				}
				return good.token(ctx, audience)
			}})
			if err == nil || err.Error() != test.want || test.err != nil && !errors.Is(err, test.err) {
				t.Errorf("%v, want %s", err, test.want)
			}
			if entries, _ := os.ReadDir(dir); len(entries) != 0 {
				t.Errorf("left %v", entries)
			}
		})
	}
}

func TestAmbientCredentials(t *testing.T) {
	t.Parallel()
	both := cloudauth.Request{Google: google, Azure: azure}
	for _, name := range []string{"GOOGLE_CREDENTIALS", "GOOGLE_OAUTH_ACCESS_TOKEN", "GOOGLE_BACKEND_CREDENTIALS", "ARM_CLIENT_SECRET", "ARM_OIDC_REQUEST_TOKEN", "ARM_ACCESS_KEY", "AZURE_CLIENT_SECRET"} {
		if !both.Ambient(name) || (cloudauth.Request{}).Ambient(name) {
			t.Errorf("%s must be replaced by an identity, and only by one of its own cloud", name)
		}
	}
	if (cloudauth.Request{Google: google}).Ambient("ARM_CLIENT_SECRET") || both.Ambient("GOOGLE_PROJECT") || both.Ambient("ARM_SUBSCRIPTION_ID") {
		t.Error("what is no credential of the cloud stays")
	}
}
