package main

import (
	"fmt"
	"os"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

type stage struct {
	Name     string    `json:"name"`
	Base     string    `json:"base"`
	Commands []command `json:"commands"`
}

type command struct {
	Name string `json:"name"`
	// The fields are those of BuildKit.
	Command any `json:"command"`
}

// readDockerfile returns the stages of a Dockerfile. What BuildKit would warn of is an error.
func readDockerfile(path string) (any, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	parsed, err := parser.Parse(file)
	if err != nil {
		return nil, err
	}
	if len(parsed.Warnings) > 0 {
		return nil, fmt.Errorf("%s", parsed.Warnings[0].Short)
	}
	found, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		return nil, err
	}
	var stages []stage
	for _, each := range found {
		commands := []command{}
		for _, one := range each.Commands {
			commands = append(commands, command{Name: one.Name(), Command: one})
		}
		stages = append(stages, stage{Name: each.Name, Base: each.BaseName, Commands: commands})
	}
	return stages, nil
}
