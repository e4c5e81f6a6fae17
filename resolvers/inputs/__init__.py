"""What a resolver is asked with: GraphQL inputs and enums, described, without rules."""
