using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;
using Supervisor.Daemon.Runtime;

namespace Supervisor.Daemon.Commands;

/// <summary><c>--version</c>, with any command or none.</summary>
internal sealed class VersionFlag : Option<bool>
{
    public VersionFlag()
        : base("--version")
    {
        Description = "Show the version";
        Recursive = true;
        Arity = ArgumentArity.Zero;
        Action = new Print();
    }

    private sealed class Print : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            var version = typeof(VersionFlag).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";
            parseResult.InvocationConfiguration.Output.WriteLine($"listend {version}");
            return 0;
        }
    }
}
