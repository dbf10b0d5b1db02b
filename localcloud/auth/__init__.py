"""The gateway's access control: credentials, authentication, authorization."""
