"""What the API says: types, fields, arguments and their descriptions. No rules, no queries."""
