"""An organization's certificate authority, with Fabric CA's REST interface."""
