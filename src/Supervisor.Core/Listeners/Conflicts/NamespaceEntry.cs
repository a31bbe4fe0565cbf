using Supervisor.Core.Listeners.History;

namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>Why a network namespace cannot be entered: setns(2).</summary>
internal static class NamespaceEntry
{
    /// <summary>How each verdict begins.</summary>
    public const string Verb = "entering network namespace";

    /// <summary>The cause.</summary>
    public static BindFinding Classify(SystemCallFailure failure) => failure.Name switch
    {
        "ENOENT" or "ENOTDIR" => new(BindCause.NamespaceAbsent, $"no network namespace {failure.Arguments}"),
        "EINVAL" => new(BindCause.NamespaceAbsent, $"{failure.Arguments} is not a network namespace"),
        "EPERM" => new(BindCause.OptionNotPermitted, $"{Verb} {failure.Arguments} needs CAP_SYS_ADMIN"),
        "EACCES" => new(BindCause.PathPermission, $"{Verb} {failure.Arguments}"),
        _ => new(BindCause.Unexplained, $"{Verb}: {failure}"),
    };
}
