using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;

namespace Supervisor.Listenctl;

/// <summary><c>--version</c>, with any verb or none.</summary>
internal sealed class VersionFlag : Option<bool>
{
    public VersionFlag(CommandContext standard)
        : base("--version")
    {
        Description = "Show the version";
        Recursive = true;
        Arity = ArgumentArity.Zero;
        Action = new Print(standard);
    }

    /// <summary>The version of this executable.</summary>
    public static string Version { get; } =
        typeof(VersionFlag).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";

    private sealed class Print(CommandContext standard) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            standard.Output.Write(System.Text.Encoding.UTF8.GetBytes($"listenctl {Version}\n"));
            return 0;
        }
    }
}
