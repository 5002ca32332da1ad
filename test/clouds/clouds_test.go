// Package clouds has Google's and Azure's own client libraries sign in with the files that
// package cloudauth keeps. Their token services run on loopback. They check the ID token as the
// real ones do, according to the clouds' documentation of 2026: signature, issuer, audience, time.
package clouds_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/terraform-gitops/gitops/shared/cloudauth"
)

const (
	issuer   = "https://token.actions.githubusercontent.com"
	provider = "projects/123/locations/global/workloadIdentityPools/github/providers/acme"
	account  = "planner@acme.iam.gserviceaccount.com"
	tenant   = "11111111-1111-1111-1111-111111111111"
	client   = "22222222-2222-2222-2222-222222222222"
)

// clouds are GitHub's issuer and the clouds' token services.
type clouds struct {
	*httptest.Server
	key *rsa.PrivateKey

	mu      sync.Mutex
	life    time.Duration // of the ID tokens
	refuses string        // an audience that is another one's
	given   int
	seen    []string // jti of the accepted ID tokens
}

func start(t *testing.T) *clouds {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := &clouds{key: key, life: 5 * time.Minute}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/token", c.googleSTS)
	mux.HandleFunc("POST /v1/projects/-/serviceAccounts/{call}", c.googleImpersonate)
	mux.HandleFunc("POST /"+tenant+"/oauth2/v2.0/token", c.entra)
	mux.HandleFunc("GET /"+tenant+"/v2.0/.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		base := "https://" + r.Host + "/" + tenant
		answer(w, http.StatusOK, map[string]any{"issuer": base + "/v2.0", "authorization_endpoint": base + "/oauth2/v2.0/authorize", "token_endpoint": base + "/oauth2/v2.0/token"})
	})
	c.Server = httptest.NewTLSServer(mux)
	t.Cleanup(c.Close)
	return c
}

// idToken is GitHub's.
func (c *clouds) idToken(_ context.Context, audience string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.given++
	if c.refuses != "" {
		audience = c.refuses
	}
	now := time.Now()
	return jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": issuer, "aud": audience, "sub": "repo:acme/infra:pull_request", "jti": fmt.Sprint(c.given),
		"iat": now.Add(min(c.life-2*time.Second, 0)).Unix(), "exp": now.Add(c.life).Unix(),
	}).SignedString(c.key)
}

// accepts verifies an ID token.
func (c *clouds) accepts(token, audience string) error {
	parsed, err := jwt.Parse(token, func(*jwt.Token) (any, error) { return &c.key.PublicKey, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(issuer), jwt.WithAudience(audience), jwt.WithExpirationRequired())
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, parsed.Claims.(jwt.MapClaims)["jti"].(string))
	return nil
}

func answer(w http.ResponseWriter, status int, content any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(content)
}

// https://docs.cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
func (c *clouds) googleSTS(w http.ResponseWriter, r *http.Request) {
	err := r.ParseForm()
	if err == nil && r.Form.Get("audience") != "//iam.googleapis.com/"+provider {
		err = fmt.Errorf("unknown provider %s", r.Form.Get("audience"))
	}
	if err == nil {
		err = c.accepts(r.Form.Get("subject_token"), "https://iam.googleapis.com/"+provider)
	}
	if err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant", "error_description": err.Error()})
		return
	}
	answer(w, http.StatusOK, map[string]any{"access_token": "federated", "issued_token_type": "urn:ietf:params:oauth:token-type:access_token", "token_type": "Bearer", "expires_in": 3600})
}

// https://docs.cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
func (c *clouds) googleImpersonate(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("call") != account+":generateAccessToken" || r.Header.Get("Authorization") != "Bearer federated" {
		answer(w, http.StatusForbidden, map[string]any{"error": map[string]any{"code": 403, "message": "Permission 'iam.serviceAccounts.getAccessToken' denied"}})
		return
	}
	answer(w, http.StatusOK, map[string]string{"accessToken": "google-access", "expireTime": time.Now().Add(time.Hour).Format(time.RFC3339)})
}

// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
func (c *clouds) entra(w http.ResponseWriter, r *http.Request) {
	err := r.ParseForm()
	if err == nil && (r.Form.Get("client_id") != client || r.Form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer") {
		err = fmt.Errorf("unknown client %s", r.Form.Get("client_id"))
	}
	if err == nil {
		err = c.accepts(r.Form.Get("client_assertion"), "api://AzureADTokenExchange")
	}
	if err != nil {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client", "error_description": "AADSTS700024: " + err.Error()})
		return
	}
	answer(w, http.StatusOK, map[string]any{"token_type": "Bearer", "expires_in": 3600, "ext_expires_in": 3600, "access_token": "azure-access"})
}

// keep keeps both identities' files, and sets the variables that lead to them.
func (c *clouds) keep(t *testing.T) *cloudauth.Files {
	t.Helper()
	files, err := cloudauth.Keep(t.Context(), cloudauth.Request{
		Google: &cloudauth.Google{WorkloadIdentityProvider: provider, ServiceAccount: account},
		Azure:  &cloudauth.Azure{ClientID: client, TenantID: tenant},
		Token:  c.idToken, Dir: t.TempDir(), Failed: func(error, string, time.Time) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = files.Close() })
	for name, value := range maps.All(files.Environment()) {
		t.Setenv(name, value)
	}
	return files
}

// googleToken is what Google's provider does: it finds the file, and exchanges the token in it.
func (c *clouds) googleToken(t *testing.T) (string, error) {
	t.Helper()
	base, err := url.Parse(c.URL)
	if err != nil {
		t.Fatal(err)
	}
	httpClient := &http.Client{Transport: redirect{c.Client().Transport, base}}
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, httpClient)
	found, err := google.FindDefaultCredentials(ctx, "https://www.googleapis.com/auth/cloud-platform")
	if err != nil {
		return "", err
	}
	token, err := found.TokenSource.Token()
	if err != nil {
		return "", err
	}
	return token.AccessToken, nil
}

// redirect sends requests for Google's services to the server on loopback.
type redirect struct {
	http.RoundTripper
	to *url.URL
}

func (r redirect) RoundTrip(request *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(request.URL.Host, ".googleapis.com") {
		return nil, fmt.Errorf("nothing is at %s", request.URL)
	}
	request = request.Clone(request.Context())
	request.URL.Host = r.to.Host
	return r.RoundTripper.RoundTrip(request)
}

// azureToken is what Azure's library does with the variables.
func (c *clouds) azureToken(t *testing.T) (string, error) {
	t.Helper()
	credential, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		DisableInstanceDiscovery: true,
		ClientOptions: azcore.ClientOptions{
			Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: c.URL},
			Transport: c.Client(), Retry: policy.RetryOptions{MaxRetries: -1},
		},
	})
	if err != nil {
		return "", err
	}
	token, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://management.azure.com/.default"}})
	return token.Token, err
}

func TestLibrariesSignIn(t *testing.T) {
	c := start(t)
	c.keep(t)
	if token, err := c.googleToken(t); err != nil || token != "google-access" {
		t.Errorf("Google: %s, %v", token, err)
	}
	if token, err := c.azureToken(t); err != nil || token != "azure-access" {
		t.Errorf("Azure: %s, %v", token, err)
	}
}

// A token for one cloud is no use in another one.
func TestAnotherAudienceIsRefused(t *testing.T) {
	c := start(t)
	c.refuses = "sts.amazonaws.com"
	c.keep(t)
	if _, err := c.googleToken(t); err == nil || !strings.Contains(err.Error(), "audience") {
		t.Errorf("Google: %v", err)
	}
	if _, err := c.azureToken(t); err == nil || !strings.Contains(err.Error(), "audience") {
		t.Errorf("Azure: %v", err)
	}
}

// Both libraries read the file again when they sign in the next time. The first token has ended
// by then, and is refused.
func TestLibrariesTakeTheRenewedToken(t *testing.T) {
	c := start(t)
	c.life = -time.Minute
	c.keep(t)
	if _, err := c.googleToken(t); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("Google took a token that has ended: %v", err)
	}
	if _, err := c.azureToken(t); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("Azure took a token that has ended: %v", err)
	}
	c.mu.Lock()
	c.life = 5 * time.Minute
	c.mu.Unlock()
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		c.mu.Lock()
		renewed := c.given >= 4
		c.mu.Unlock()
		if renewed {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no token was renewed")
		}
	}
	files := []string{os.Getenv("ARM_OIDC_TOKEN_FILE_PATH"), filepath.Join(filepath.Dir(os.Getenv("GOOGLE_APPLICATION_CREDENTIALS")), "google-id-token")}
	for _, file := range files {
		for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
			content, err := os.ReadFile(file)
			if err != nil || time.Now().After(deadline) {
				t.Fatalf("%s has the old token: %v", file, err)
			}
			parsed, _, err := jwt.NewParser().ParseUnverified(string(content), jwt.MapClaims{})
			if err != nil {
				t.Fatal(err)
			}
			if ends, err := parsed.Claims.GetExpirationTime(); err == nil && ends.After(time.Now()) {
				break
			}
		}
	}
	if token, err := c.googleToken(t); err != nil || token != "google-access" {
		t.Errorf("Google: %s, %v", token, err)
	}
	if token, err := c.azureToken(t); err != nil || token != "azure-access" {
		t.Errorf("Azure: %s, %v", token, err)
	}
}
