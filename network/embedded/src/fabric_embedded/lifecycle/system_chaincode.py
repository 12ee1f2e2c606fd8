"""The system chaincode `_lifecycle`: a function name and one message of arguments (`lifecycle/scc.go`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_response_pb2

from fabric_embedded import acl
from fabric_embedded.errors import AccessDenied, ChaincodeError
from fabric_embedded.lifecycle.definition_functions import DefinitionFunctions
from fabric_embedded.lifecycle.package_functions import PackageFunctions
from fabric_embedded.system.calls import SystemCall, failed, succeeded
from fabric_protocol.errors import ProtocolError

if TYPE_CHECKING:
    from fabric_embedded.endorsement.chaincodes import InstalledChaincodes


class LifecycleChaincode:
    """`_lifecycle` as one organization's peer runs it.

    Parameters:
        msp_id: of the organization.
        installed: the peer's chaincodes.
    """

    def __init__(self, msp_id: str, installed: InstalledChaincodes) -> None:
        self._msp_id = msp_id
        self._definitions = DefinitionFunctions(msp_id)
        self._packages = PackageFunctions(installed)

    async def invoke(self, call: SystemCall) -> proposal_response_pb2.Response:
        """Run one function.

        Returns:
            Status 200 with M(FunctionResult); 404 for an undefined name; 500 with Fabric's text else.
        """
        if not call.arguments:
            return failed("lifecycle scc must be invoked with arguments")
        if len(call.arguments) != 2:
            return failed(
                f"lifecycle scc operations require exactly two arguments but received {len(call.arguments)}"
            )
        name = call.function
        try:
            self._check_right(call)
        except AccessDenied as error:
            return failed(f"Failed to authorize invocation due to failed ACL check: {error.message}")
        try:
            if name in self._packages.names:
                result = await self._packages.run(call)
            else:
                result = self._definitions.run(call)
        except (ChaincodeError, ProtocolError) as error:
            if error.code == "NAMESPACE_NOT_DEFINED":
                return proposal_response_pb2.Response(status=common_pb2.NOT_FOUND, message=error.message)
            return failed(f"failed to invoke backing implementation of '{name}': {error.message}")
        return succeeded(result.SerializeToString())

    def _check_right(self, call: SystemCall) -> None:
        resource = f"_lifecycle/{call.function}"
        if resource in acl.LOCAL_POLICIES:
            acl.check_local_access(call.config, resource, self._msp_id, call.admitted.creator)
            return
        if resource in acl.CHANNEL_POLICIES and not call.admitted.proposal.channel_id:
            acl.refuse_channel("", resource, self._msp_id, call.admitted.creator)
        acl.check_access(call.config, resource, call.signed_data)
