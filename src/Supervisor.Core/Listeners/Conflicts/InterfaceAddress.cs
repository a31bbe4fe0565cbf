using System.Net;

namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>An address that an interface of this network namespace has (rtnetlink(7), RTM_GETADDR).</summary>
/// <param name="Address">The address, without a scope.</param>
/// <param name="Interface">The interface's name.</param>
/// <param name="IsUp">IFF_UP of the interface.</param>
/// <param name="IsTentative">IFA_F_TENTATIVE without IFA_F_OPTIMISTIC: duplicate address detection has not finished.</param>
/// <param name="IsDuplicate">IFA_F_DADFAILED.</param>
public sealed record InterfaceAddress(IPAddress Address, string Interface, bool IsUp, bool IsTentative, bool IsDuplicate);
