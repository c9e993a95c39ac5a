// Says which files of HCL are not as `terraform fmt` leaves them, or cannot be read.
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

func main() {
	failed := false
	for _, path := range os.Args[1:] {
		text, err := os.ReadFile(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if _, faults := hclwrite.ParseConfig(text, path, hcl.InitialPos); faults.HasErrors() {
			fmt.Fprintln(os.Stderr, faults.Error())
			failed = true
		} else if !bytes.Equal(hclwrite.Format(text), text) {
			fmt.Fprintf(os.Stderr, "%s is not formatted\n", path)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}
