package fakerunner

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
)

// refusal is an error answer of AWS. moto does not check trust policies, permissions, session
// lengths, regions and keys, and its clock can't be set. So a story says what AWS would answer,
// in AWS's words.
type refusal struct {
	Status        int
	Code, Message string
	Header        map[string]string
}

// awsError is aws-error SERVICE[-ROLE] STATUS CODE MESSAGE [HEADER=VALUE ...]: the next calls to
// a service, or a role's calls to it, get an error. It writes the file
// refusals/SERVICE[-ROLE]. A story, or a program in it, may move such a file there, or remove it.
func awsError(ts *testscript.TestScript, _ *story, args []string) {
	answer := refusal{Status: number(ts, args[1]), Code: args[2], Message: args[3], Header: map[string]string{}}
	for _, header := range args[4:] {
		name, value, _ := strings.Cut(header, "=")
		answer.Header[name] = value
	}
	content, err := json.Marshal(answer)
	ts.Check(err)
	ts.Check(os.MkdirAll(ts.MkAbs("refusals"), 0o755))
	ts.Check(os.WriteFile(ts.MkAbs(filepath.Join("refusals", args[0])), content, 0o644))
}

// refuse answers a call with an error, in the form of its service's protocol.
func (a *account) refuse(w http.ResponseWriter, c fakeaws.Call) (refused bool, err error) {
	content, err := os.ReadFile(filepath.Join(a.refusals, c.Service))
	if errors.Is(err, fs.ErrNotExist) {
		content, err = os.ReadFile(filepath.Join(a.refusals, c.Service+"-"+c.Role))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	var answer refusal
	if err == nil {
		err = json.Unmarshal(content, &answer)
	}
	if err != nil {
		return false, err
	}
	for name, value := range answer.Header {
		w.Header().Set(name, value)
	}
	var body []byte
	if c.Service == "dynamodb" {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		body, err = json.Marshal(map[string]string{"__type": "com.amazonaws.dynamodb.v20120810#" + answer.Code, "message": answer.Message})
	} else {
		w.Header().Set("Content-Type", "text/xml")
		var e struct {
			XMLName       xml.Name `xml:"Error"`
			Code, Message string
		}
		e.Code, e.Message = answer.Code, answer.Message
		body, err = xml.Marshal(e)
		if c.Service == "sts" {
			body = fmt.Appendf(nil, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">%s<RequestId>1</RequestId></ErrorResponse>`, body)
		}
	}
	if err != nil {
		return false, err
	}
	w.WriteHeader(answer.Status)
	_, _ = w.Write(body) // the client is gone: nobody to tell
	return true, nil
}
