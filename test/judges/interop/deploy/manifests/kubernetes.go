package main

import (
	"fmt"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// types has a new value of each type that a document may have.
var types = map[string]func() any{
	"apps/v1 Deployment":                     func() any { return &apps.Deployment{} },
	"autoscaling/v2 HorizontalPodAutoscaler": func() any { return &autoscaling.HorizontalPodAutoscaler{} },
	"gateway.networking.k8s.io/v1 HTTPRoute": func() any { return &gateway.HTTPRoute{} },
	"networking.k8s.io/v1 NetworkPolicy":     func() any { return &networking.NetworkPolicy{} },
	"policy/v1 PodDisruptionBudget":          func() any { return &policy.PodDisruptionBudget{} },
	"v1 Service":                             func() any { return &core.Service{} },
	"v1 ServiceAccount":                      func() any { return &core.ServiceAccount{} },
}

// render reads every document of a folder into its type. A field that the type does not have is an error.
func render(folder string) (any, error) {
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return nil, err
	}
	var documents []any
	for _, resource := range resources.Resources() {
		name := fmt.Sprintf("%s %s", resource.GetApiVersion(), resource.GetKind())
		create, isKnown := types[name]
		if !isKnown {
			return nil, fmt.Errorf("expected a type that this program knows, found %s", name)
		}
		text, err := resource.AsYAML()
		if err != nil {
			return nil, err
		}
		document := create()
		if err := yaml.UnmarshalStrict(text, document); err != nil {
			return nil, fmt.Errorf("%s %s: %w", name, resource.GetName(), err)
		}
		documents = append(documents, document)
	}
	return documents, nil
}
