package workflow

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
)

// claims are the claims of an ID token and, unlike in GitHub's tokens, the job that it is for.
// https://docs.github.com/actions/reference/security/oidc
type claims struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Subject  string `json:"sub"`
	Run      string `json:"run_id"`
	Job      string `json:"job"`
	Issued   int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// idTokenVariables returns the variables with which a job asks for ID tokens with these claims. The
// claims are in the token that it asks with.
func (a *account) idTokenVariables(c claims) map[string]string {
	c.Issuer = "https://token.actions.githubusercontent.com"
	payload, err := json.Marshal(c)
	if err != nil {
		a.t.Fatal(err)
	}
	return map[string]string{
		"ACTIONS_ID_TOKEN_REQUEST_URL":   a.tokens + "/token?api-version=2.0",
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN": jwt(payload),
	}
}

// giveIDToken stands in for the runner's service for ID tokens.
func giveIDToken(w http.ResponseWriter, r *http.Request) {
	c, err := readToken(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	now := time.Now()
	c.Audience, c.Issued, c.Expires = r.URL.Query().Get("audience"), now.Unix(), now.Add(5*time.Minute).Unix() // as GitHub's
	payload, err := json.Marshal(c)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"value": jwt(payload)})
}

// jwt returns a token with a signature that nobody checks.
func jwt(payload []byte) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256"}`)) + "." + encode(payload) + "." + encode([]byte("signature"))
}

func readToken(token string) (c claims, err error) {
	_, payload, _ := strings.Cut(token, ".")
	payload, _, _ = strings.Cut(payload, ".")
	content, err := base64.RawURLEncoding.DecodeString(payload)
	if err == nil {
		err = json.Unmarshal(content, &c)
	}
	return c, err
}

// taker returns the claims of the job that asks for a role.
func taker(call fakeaws.Call) (claims, error) {
	form, err := url.ParseQuery(string(call.Body))
	if err != nil {
		return claims{}, err
	}
	return readToken(form.Get("WebIdentityToken"))
}
