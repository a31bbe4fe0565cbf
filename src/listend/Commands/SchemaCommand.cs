using System.CommandLine;
using Supervisor.Config.Settings;

namespace Supervisor.Listend.Commands;

/// <summary><c>listend schema</c>: the configuration's JSON Schema.</summary>
internal static class SchemaCommand
{
    public static Command Create()
    {
        var schema = new Command("schema", "Print the JSON Schema of the configuration");
        schema.SetAction(_ =>
        {
            Console.Out.WriteLine(ConfigSchema.Json());
            return 0;
        });
        return schema;
    }
}
